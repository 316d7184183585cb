"""ima2 outside its server: the studio in a script, and what a plugin's own command needs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ima2.errors import Ima2Error
from ima2.network.http import Http
from ima2.settings import paths

if TYPE_CHECKING:
    from ima2.client import Client
    from ima2.interfaces import Studio


@asynccontextmanager
async def open_studio(plugins: str | None = None, *, environ: Mapping[str, str] | None = None) -> AsyncIterator[Studio]:
    """The same studio as behind the server, in this process::

        async with ima2.open_studio() as studio:
            job = await studio.submit(ima2.ImageRequest("a lighthouse", "demo"))
            result = await job.result()

    ``plugins`` names those to use (as ``--plugins``), ``environ`` replaces the environment. Jobs that still run at the
    end are cancelled. Raises `Ima2Error` for settings, or for a named plugin, that cannot be used.
    """
    from ima2.runtime import assemble, open_runtime

    async with open_runtime(assemble(plugins=plugins, environ=environ), background=False) as runtime:
        studio: Any = runtime.studio
        yield studio


@dataclass(slots=True)
class CommandContext:
    """What a plugin's own command works with: its validated ``settings`` (``None`` without the hook), the ``http``
    client (call it) and the user's folders. Nothing else is booted."""

    plugin: str
    settings: Any
    config_dir: Path
    http: Http = field(default_factory=Http)

    @property
    def data_dir(self) -> Path:
        """The plugin's own folder; it may not exist yet."""
        return self.config_dir / "plugins" / self.plugin

    def client(self, server: str | None = None, *, here: bool = False) -> AbstractAsyncContextManager[Client]:
        """``async with ctx.client() as client:`` talks to the server at ``server``, else to the one that runs here.

        Where none does, raises `Ima2Error` ``SERVER_UNREACHABLE``, or with ``here`` does it in this process.
        """
        from ima2.cli.server_discovery import open_client, open_worker

        if here:
            return open_worker(server, note="")

        return open_client(server)


def command_context(plugin: str) -> CommandContext:
    """What the command of a plugin needs. Imports that plugin and no other.

    Raises `Ima2Error` ``UNKNOWN_PLUGIN``, ``PLUGIN_FAILED`` or ``PLUGIN_SETTINGS_INVALID``.
    """
    from ima2.cli.inspection import inspect_plugins
    from ima2.kernel.discovery import State, discover
    from ima2.kernel.switches import Switches, suggestion

    records = discover()
    found = [record for record in records if record.name == plugin]
    if not found:
        known = suggestion(plugin, [record.name for record in records])
        raise Ima2Error("UNKNOWN_PLUGIN", 400, f"No plugin {plugin} is installed.{known}")
    booted = inspect_plugins(Switches(only=frozenset({plugin})), found)
    if found[0].state is State.FAILED:
        raise Ima2Error("PLUGIN_FAILED", 500, f"Plugin {plugin} failed ({found[0].stage}): {found[0].error}")
    return CommandContext(plugin, booted.contexts[plugin].settings, paths.config_dir(os.environ))
