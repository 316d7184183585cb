"""Files of this machine as the storage of the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from ima2_plugins.local_storage.settings import LocalStorageSettings
    from ima2_plugins.local_storage.storage import LocalStorage


@ima2.hookimpl
def ima2_settings() -> type[LocalStorageSettings]:
    from ima2_plugins.local_storage.settings import LocalStorageSettings

    return LocalStorageSettings


@ima2.hookimpl
def ima2_storages(ctx: ima2.PluginContext) -> list[LocalStorage]:
    from ima2_plugins.local_storage.storage import LocalStorage

    return [LocalStorage(ctx.settings.folder(ctx.config_dir), given=ctx.sources.get("path") == "env")]
