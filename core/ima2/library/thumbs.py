"""Thumbnails, made after the fact: a picture without one is still a picture."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence

from ima2.contracts import Storage
from ima2.errors import Ima2Error
from ima2.kernel.registry import Registry
from ima2.library.index import Index
from ima2.library.names import OWN_THUMB, STEM_THUMB, siblings_of, thumb_of
from ima2.library.watch import Watch
from ima2.media.sniff import media_type_of
from ima2.models import Picture

log = logging.getLogger("ima2.library")
WORKERS = 2
WIDTH = 320
HEAD = 4096
"""Bytes that tell what a file is, whatever its name says."""
MISSING = "THUMBNAILER_MISSING"


class Thumbs:
    """A short line of files that want a thumbnail, worked off by two workers that end when it is empty."""

    def __init__(self, storage: Storage, index: Index, registry: Registry, watch: Watch, *, preferred: str) -> None:
        self._storage = storage
        self._index = index
        self._registry = registry
        self._watch = watch
        self._preferred = preferred
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._workers: set[asyncio.Task[None]] = set()
        self._failed: set[str] = set()
        self._in_hand: set[str] = set()
        self._outdated: set[str] = set()
        """Those in hand whose content is another one by now: they have their turn again."""

    def soon(self, key: str) -> None:
        """Ask for a file's thumbnail. Asked twice, it is made once."""
        if key in self._failed or key in self._in_hand or not self._registry.thumbnailers:
            return
        self._waiting[key] = None
        if len(self._workers) < WORKERS:
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def forget(self, key: str) -> None:
        """A file has another content now, or is gone: what was found out about it no longer holds."""
        self._failed.discard(key)
        self._waiting.pop(key, None)
        if key in self._in_hand:
            self._outdated.add(key)

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
        media_type = media_type_of(await self._storage.get(key, 0, HEAD)) or ""
        thumbnailer = self._registry.thumbnailer(media_type, self._preferred)
        if thumbnailer is None:
            raise Ima2Error(MISSING, 501, f"No thumbnailer in use takes {media_type or 'files of an unknown type'}.")
        path = self._storage.local_path(key)
        source = path or Picture(await self._storage.get(key), media_type)
        thumbnail = await thumbnailer.thumbnail(source, WIDTH)
        form = OWN_THUMB if await self._index.present(siblings_of(key)) else STEM_THUMB
        with self._watch.own():
            await self._storage.put(thumb_of(key, form), thumbnail)
        await self._index.set_thumb([key], form)

    async def make_all(self, keys: Sequence[str]) -> dict[str, str]:
        """Make several, as many at a time as there are workers. Returns those that failed, with the reason."""
        left, failures = iter(keys), dict[str, str]()

        async def work() -> None:
            for key in left:
                try:
                    await self.make(key)
                except KeyError:
                    failures[key] = "The file is gone."
                except Ima2Error as error:
                    failures[key] = error.text
                except Exception as error:
                    failures[key] = f"The thumbnailer failed ({type(error).__name__})."

        await asyncio.gather(*(work() for _ in range(WORKERS)))
        return failures

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
                if error.code != MISSING:
                    log.warning("no thumbnail of %s: %s", key, error.code)
            except Exception:
                self._failed.add(key)
                log.exception("no thumbnail of %s", key)
            finally:
                self._in_hand.discard(key)
                if key in self._outdated:
                    self._outdated.discard(key)
                    self._waiting[key] = None
