"""Bringing the index up to date with the files, newest first, in small steps that hold nobody up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ima2.contracts import Storage
from ima2.keys import is_key
from ima2.library.index import Entry, Index, Known
from ima2.library.names import (
    NO_THUMB,
    OWN_THUMB,
    STEM_THUMB,
    THUMB_SUFFIX,
    is_media,
    siblings_of,
    sidecar_of,
    stem_of,
    thumb_of,
)
from ima2.library.reading import Found, Reader
from ima2.library.watch import Watch

log = logging.getLogger("ima2.library")
BATCH = 100
DEEPEST = 2
"""Folders below the gallery's own that are looked into."""
PAUSE_S = 0.002
MOST_TOLD = 1000


@dataclass(slots=True)
class _Walk:
    """What lies in the storage."""

    media: dict[str, tuple[int, int]] = field(default_factory=dict)
    sidecars: dict[str, int] = field(default_factory=dict)
    thumbs: set[str] = field(default_factory=set)
    deep: list[str] = field(default_factory=list)

    def found(self, known: dict[str, Known]) -> dict[str, Found]:
        """Each file with its time, size, sidecar and thumbnail."""
        return {
            key: Found(key, modified, size, self._sidecar_time(key), self._thumb(key, known.get(key)))
            for key, (modified, size) in self.media.items()
        }

    def _sidecar_time(self, key: str) -> int:
        return self.sidecars.get(sidecar_of(key)) or self.sidecars.get(stem_of(key) + ".json") or 0

    def _thumb(self, key: str, known: Known | None) -> int:
        """The thumbnail of a file. One that two pictures could share is that of the one for which it was made."""
        if thumb_of(key, OWN_THUMB) in self.thumbs:
            return OWN_THUMB
        if thumb_of(key) not in self.thumbs:
            return NO_THUMB
        shared = any(one in self.media for one in siblings_of(key))
        return STEM_THUMB if not shared or (known is not None and known.thumb == STEM_THUMB) else NO_THUMB


class Scan:
    """One walk over the storage at a time. ``done`` of ``todo`` files tells how far it is."""

    def __init__(self, storage: Storage, index: Index, reader: Reader, watch: Watch, *, skip: str = ".trash") -> None:
        self._storage = storage
        self._index = index
        self._watch = watch
        self._skip = skip
        self._reader = reader
        self._ours: set[str] = set()
        self.running = False
        self.done = 0
        self.todo = 0
        self.begun = asyncio.Event()
        """Set once the newest files are indexed, or there were none."""
        self.unlisted: list[str] = []
        """Names that the last walk left out, and why."""

    def touched(self, key: str) -> None:
        """Note that a file was written or removed by ourselves: a walk that is under way knows it as it was."""
        if self.running:
            self._ours.add(key)

    async def run(self) -> None:
        """Walk, index what is new or changed, forget what is gone."""
        self.running, self.done, self.todo = True, 0, 0
        self._ours.clear()
        began = self._watch.begin()
        walk = _Walk()
        try:
            await self._walk(walk)
            known = await self._index.known()
            found = walk.found(known)
            unlisted = [f"{name} (deeper than {DEEPEST} folders)" for name in walk.deep]
            wanted = [_bare(one, known.get(one.key)) for one in found.values() if _is_changed(one, known.get(one.key))]
            wanted.sort(key=lambda one: one.key.rpartition("/")[2], reverse=True)
            unlisted += await self._index_all(wanted)
            await self._forget(found, known)
            self.unlisted = [*self._left_out(), *unlisted][:MOST_TOLD]
            if self.unlisted:
                log.warning("%d files of the gallery cannot be listed; `ima2 doctor` names them", len(self.unlisted))
            await self._index.count()
        finally:
            self.running = False
            self.begun.set()
            self._watch.end(began, walk.media)

    async def add(self, key: str) -> None:
        """Index one file as it lies there. ``KeyError`` for a missing one."""
        entries, _ = await self._reader.entries([await self._reader.found(key)])
        await self._index.put(entries)

    # -- inside ------------------------------------------------------------------------------

    async def _walk(self, walk: _Walk) -> None:
        async for stored in self._storage.list():
            key = stored.key
            if not is_key(key) or self._skip in key.split("/"):
                continue
            if key.count("/") > DEEPEST:
                if is_media(key):
                    walk.deep.append(key)
            elif is_media(key):
                walk.media[key] = (stored.modified, stored.size)
            elif key.endswith(".json"):
                walk.sidecars[key] = stored.modified
            elif key.endswith(THUMB_SUFFIX):
                walk.thumbs.add(key)

    async def _index_all(self, wanted: list[Found]) -> list[str]:
        """Read and index in batches. Returns what could not be indexed."""
        failed: list[str] = []
        self.todo = len(wanted)
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            entries, unread = await self._reader.entries(batch)
            failed += unread + await self._put([one for one in entries if one.key not in self._ours])
            self.done += len(batch)
            self.begun.set()
            await asyncio.sleep(PAUSE_S)
        return failed

    async def _put(self, entries: list[Entry]) -> list[str]:
        """A batch, or where that fails each by itself: one bad file never hides the others."""
        try:
            await self._index.put(entries)
        except Exception:
            if len(entries) == 1:
                log.warning("a file of the gallery could not be indexed", exc_info=log.isEnabledFor(logging.DEBUG))
                return [f"{entries[0].key} (its facts do not fit the index)"]
            return [name for entry in entries for name in await self._put([entry])]
        return []

    async def _forget(self, found: dict[str, Found], known: dict[str, Known]) -> None:
        """Drop files that are gone, and thumbnails that are. Both are looked for once more: they may just have been
        made."""
        gone = [key for key in known if key not in found and key not in self._ours]
        await self._index.remove([key for key in gone if not await self._exists(key)])
        bare = [key for key, one in found.items() if one.thumb == NO_THUMB and key in known and known[key].thumb]
        lost = [key for key in bare if not await self._exists(thumb_of(key, known[key].thumb))]
        await self._index.set_thumb([key for key in lost if key not in self._ours], NO_THUMB)

    async def _exists(self, key: str) -> bool:
        try:
            await self._storage.stat(key)
        except KeyError:
            return False
        return True

    def _left_out(self) -> Iterable[str]:
        """Names that the storage itself could not list, folders and media only."""
        return (name for name in self._storage.unlisted() if name.endswith("/") or is_media(name))


def _bare(found: Found, known: Known | None) -> Found:
    """A picture whose content changed has no thumbnail yet, whatever lies there."""
    same = known is None or (known.modified, known.size) == (found.modified, found.size)
    return found if same else replace(found, thumb=NO_THUMB)


def _is_changed(found: Found, known: Known | None) -> bool:
    if known is None or (known.modified, known.size) != (found.modified, found.size):
        return True
    return known.sidecar_modified != found.sidecar_modified or found.thumb not in (NO_THUMB, known.thumb)
