"""A JSON file of things that can be found out again: read leniently, written whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ima2

MOST_BYTES = 200 * 2**20


class CacheFile:
    """``path()`` says where it is now. A missing, damaged or foreign file is an empty one."""

    def __init__(self, path: Callable[[], Path], part: str) -> None:
        self._path, self._part = path, part
        self.lock = asyncio.Lock()
        """Held by whoever reads, changes and writes."""

    async def read(self) -> dict[str, dict[str, Any]]:
        """The entries by name; those of a wrong shape are left out."""
        return await asyncio.to_thread(self._read)

    async def write(self, entries: dict[str, dict[str, Any]]) -> None:
        """Replace the file. `OSError` where that is not possible."""
        await asyncio.to_thread(self._write, entries)

    def _read(self) -> dict[str, dict[str, Any]]:
        import orjson

        path = self._path()
        try:
            if path.stat().st_size > MOST_BYTES:
                return {}
            entries = orjson.loads(path.read_bytes())[self._part]
            return {name: one for name, one in entries.items() if isinstance(one, dict)}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}

    def _write(self, entries: dict[str, dict[str, Any]]) -> None:
        import orjson

        path = self._path()
        ima2.private_folder(path.parent)
        ima2.write_whole(path, orjson.dumps({"version": 1, self._part: entries}))
