"""What could not be written down yet: facts of pictures that are safe, tried again until they are."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

log = logging.getLogger("ima2.library")
FIRST_S, LONGEST_S = 1.0, 60.0
LAST_CHANCE_S = 2.0


class Repairs:
    """Facts by key. ``write`` adds those of one key to sidecar and index, and raises as long as it cannot."""

    def __init__(self, write: Callable[[str], Awaitable[None]], *, first_s: float = FIRST_S) -> None:
        self._write = write
        self._first_s = first_s
        self._waiting: dict[str, dict[str, Any]] = {}
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many files wait for their facts."""
        return len(self._waiting)

    def facts(self, key: str) -> Mapping[str, Any]:
        """What waits to be written of one file."""
        return self._waiting.get(key, {})

    def add(self, key: str, facts: Mapping[str, Any]) -> None:
        """Take facts, on top of those that already wait."""
        self._waiting[key] = {**self._waiting.get(key, {}), **facts}
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    def forget(self, key: str) -> None:
        """The file is gone."""
        self._waiting.pop(key, None)

    async def settled(self) -> None:
        """Wait until nothing waits."""
        while self._worker is not None and not self._worker.done():
            await asyncio.wait({self._worker})

    async def close(self) -> None:
        """Try once more, briefly. What is left then is found by the next walk, or written again from the record of
        the job."""
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
        if self._waiting:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._try_all(), LAST_CHANCE_S)
        if self._waiting:
            log.warning("what is known of %d pictures could not be written down", len(self._waiting))

    async def _work(self) -> None:
        pause = self._first_s
        while self._waiting:
            await asyncio.sleep(pause)
            written = await self._try_all()
            pause = self._first_s if written else min(LONGEST_S, pause * 2)

    async def _try_all(self) -> int:
        """Each by itself; how many could be written."""
        written = 0
        for key in list(self._waiting):
            try:
                await self._write(key)
            except KeyError:
                self._waiting.pop(key, None)  # the picture itself is gone
            except Exception as error:
                log.info("what is known of a picture still cannot be written: %s", type(error).__name__)
            else:
                written += 1
        return written
