"""Thumbnails, made after the fact: a picture without one is still a picture."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable

from ima2.contracts import Storage, Thumbnailer
from ima2.errors import Ima2Error
from ima2.kernel.registry import Registry
from ima2.library.index import Index
from ima2.library.rows import extension_of, thumb_of
from ima2.media.sniff import MEDIA_TYPES, media_type_of
from ima2.models import Picture

log = logging.getLogger("ima2.library")
WORKERS = 2
WIDTH = 320


class Thumbs:
    """A short line of files that want a thumbnail, worked off by two workers that end when it is empty."""

    def __init__(
        self, storage: Storage, index: Index, registry: Registry, preferred: str, written: Callable[[], None]
    ) -> None:
        self._written = written
        self._storage = storage
        self._index = index
        self._registry = registry
        self._preferred = preferred
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._workers: set[asyncio.Task[None]] = set()
        self._failed: set[str] = set()
        self._in_hand: set[str] = set()

    def soon(self, key: str) -> None:
        """Ask for a file's thumbnail. Asked twice, it is made once."""
        if key in self._failed or key in self._in_hand or self._thumbnailer(key) is None:
            return
        self._waiting[key] = None
        if len(self._workers) < WORKERS:
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    @property
    def waiting(self) -> int:
        """How many files are in line."""
        return len(self._waiting)

    async def settled(self) -> None:
        """Wait until the line is empty."""
        while self._workers:
            await asyncio.wait(set(self._workers))

    async def close(self) -> None:
        """Stop; what was in line is asked for again at the next start."""
        self._waiting.clear()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def make(self, key: str) -> None:
        """Make one thumbnail now. Raises `Ima2Error` for what is no picture, or too large a one."""
        thumbnailer = self._thumbnailer(key)
        if thumbnailer is None:
            raise Ima2Error("THUMBNAILER_MISSING", 501, f"No thumbnailer in use takes .{extension_of(key)} files.")
        path = self._storage.local_path(key)
        data = b"" if path else await self._storage.get(key)
        source = path or Picture(data, media_type_of(data) or "")
        await self._storage.put(thumb_of(key), await thumbnailer.thumbnail(source, WIDTH))
        self._written()
        await self._index.thumb_made([key])

    async def _work(self) -> None:
        while self._waiting:
            key, _ = self._waiting.popitem(last=False)
            self._in_hand.add(key)
            try:
                await self.make(key)
            except KeyError:
                continue
            except Ima2Error as error:
                self._failed.add(key)
                log.warning("no thumbnail of %s: %s", key, error.code)
            except Exception:
                self._failed.add(key)
                log.exception("no thumbnail of %s", key)
            finally:
                self._in_hand.discard(key)

    def _thumbnailer(self, key: str) -> Thumbnailer | None:
        return self._registry.thumbnailer(MEDIA_TYPES.get(extension_of(key), ""), self._preferred)
