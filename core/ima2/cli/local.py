"""What is installed here, looked at without a server and without opening anything."""

from __future__ import annotations

import os
from typing import Any

from ima2.cli.inspection import inspect_here
from ima2.errors import Ima2Error
from ima2.settings import paths
from ima2.settings.config_file import ConfigFile


def local_providers() -> dict[str, Any]:
    """The answer of ``GET /api/providers``, from what is installed here."""
    from ima2.catalogue import provider_row, ranked

    registry = inspect_here().registry
    rows = [provider_row(provider, registry) for provider in ranked(registry)]
    named = _settings().default_provider
    claims = [row["id"] for row in rows if row["isDefault"]]
    default = named if named and named != "auto" else claims[0] if len(claims) == 1 else ""
    return {"default": default, "providers": rows}


def local_capabilities() -> dict[str, Any]:
    """The answer of ``GET /api/capabilities``, from what is installed here."""
    from ima2.catalogue import capabilities
    from ima2.kernel.collect import capability_blocks

    booted = inspect_here()
    return capabilities(booted, _settings(), capability_blocks(booted), source="local", server=None)


def local_storage_report() -> dict[str, Any]:
    """The answer of ``GET /api/storage/status``, from this machine's folders."""
    from ima2.storage_report import storage_report

    storage = inspect_here().registry.storages.get(_settings().storage)
    if storage is None:
        raise Ima2Error("STORAGE_MISSING", 500, "No plugin that is on offers the storage that the settings name.")
    return {"ok": True, "data": storage_report(storage, os.environ)}


def _settings() -> Any:
    from ima2.settings.model import load

    return load(os.environ, ConfigFile(paths.config_file()).read()).settings


def local_unlisted() -> list[str]:
    """Names in the gallery's folder that cannot be listed; none where the gallery is in no folder of this machine."""
    import asyncio

    from ima2.library.names import is_media

    storage = inspect_here().registry.storages.get(_settings().storage)
    if storage is None or storage.local_path("x") is None:
        return []

    async def walk() -> None:
        async for _ in storage.list():
            pass

    asyncio.run(walk())
    return [name for name in storage.unlisted() if name.endswith("/") or is_media(name)]
