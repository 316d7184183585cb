"""Moving what was set aside into the gallery, as soon as that can be written to again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from ima2.library.spool import Spool
from ima2.library_api import Kept
from ima2.models import Picture

log = logging.getLogger("ima2.library")
PAUSE_S = 30.0


class Target(Protocol):
    """What the gallery offers for it."""

    def writable(self) -> str | None:
        """Why nothing can be stored."""

    async def add(self, picture: Picture, facts: Mapping[str, Any], *, folder: str = "", name: str = "") -> Kept:
        """Store a new file."""


class Rescue:
    """Works while the spool holds anything, and ends when it is empty."""

    def __init__(self, target: Target, spool: Spool, *, pause_s: float = PAUSE_S) -> None:
        self._target = target
        self._spool = spool
        self._pause_s = pause_s
        self._worker: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """Look into the spool, now and until it is empty."""
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Stop; the next start goes on."""
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker

    async def _work(self) -> None:
        await asyncio.to_thread(self._spool.sweep)
        while paths := await asyncio.to_thread(self._spool.waiting):
            if self._target.writable() is None:
                for path in paths:
                    await self._move(path)
            await asyncio.sleep(self._pause_s)

    async def _move(self, path: Path) -> None:
        try:
            picture, facts, key = await asyncio.to_thread(self._spool.read, path)
            folder, _, name = key.rpartition("/")
            kept = await self._target.add(picture, facts, folder=folder, name=name.rpartition(".")[0])
            await asyncio.to_thread(self._spool.moved, path, kept.key)
        except Exception as error:
            log.info("a file that was set aside still cannot be stored: %s", type(error).__name__)
            return
        log.warning("a picture that had been set aside is in the gallery now")
