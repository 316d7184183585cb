"""Bringing the index up to date with the files, newest first, in small steps that hold nobody up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from ima2.contracts import Storage
from ima2.keys import is_key
from ima2.library.index import Entry, Index, entry
from ima2.library.rows import is_media, sidecar_of, thumb_of
from ima2.media.embed import read

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("ima2.library")
BATCH = 100
MAX_SIDECAR = 4_000_000
MAX_EMBEDDED = 64_000_000
PAUSE_S = 0.002


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the gallery as the storage lists it."""

    key: str
    modified: int
    size: int
    sidecar_modified: int
    thumb: bool


class Scan:
    """One walk over the storage at a time. ``done`` of ``todo`` files tells how far it is."""

    def __init__(self, storage: Storage, index: Index) -> None:
        self._storage = storage
        self._index = index
        self._root = self._find_root()
        self._seen = 0
        self.running = False
        self.done = 0
        self.todo = 0
        self.begun = asyncio.Event()
        """Set once the newest files are indexed, or there were none."""

    async def run(self) -> None:
        """Walk, index what is new or changed, forget what is gone."""
        self.running, self.done, self.todo = True, 0, 0
        try:
            self.touched()
            found = await self._walk()
            known = await self._index.known()
            wanted = [one for one in found.values() if _changed(one, known.get(one.key))]
            wanted.sort(key=lambda one: one.key.rpartition("/")[2], reverse=True)
            self.todo = len(wanted)
            for start in range(0, len(wanted), BATCH):
                batch = wanted[start : start + BATCH]
                await self._index.put(await self._entries(batch))
                self.done += len(batch)
                self.begun.set()
                await asyncio.sleep(PAUSE_S)
            gone = [key for key in known if key not in found]
            await self._index.remove([key for key in gone if not await self._exists(key)])
        finally:
            self.running = False
            self.begun.set()

    def touched(self) -> None:
        """Note that the folder's present state is our own doing, so that it is not taken for news."""
        self._seen = self._root_time()

    def root_changed(self) -> bool:
        """Whether the gallery's folder changed by someone else's hand since it was last looked at."""
        return not self.running and self._root is not None and self._root_time() != self._seen

    # -- inside ------------------------------------------------------------------------------

    async def _walk(self) -> dict[str, Found]:
        media: dict[str, tuple[int, int]] = {}
        sidecars: dict[str, int] = {}
        thumbs: set[str] = set()
        async for stored in self._storage.list():
            if not is_key(stored.key) or stored.key.count("/") > 2:
                continue
            if is_media(stored.key):
                media[stored.key] = (stored.modified, stored.size)
            elif stored.key.endswith(".json"):
                sidecars[stored.key] = stored.modified
            else:
                thumbs.add(stored.key)
        return {
            key: Found(key, modified, size, _sidecar_time(key, sidecars), thumb_of(key) in thumbs)
            for key, (modified, size) in media.items()
        }

    async def _entries(self, batch: list[Found]) -> list[Entry]:
        paths = [self._storage.local_path(one.key) for one in batch]
        local = [path for path in paths if path is not None]
        if len(local) == len(batch):
            return await asyncio.to_thread(_read_local, batch, local)
        return [await self._read_remote(one) for one in batch]

    async def _read_remote(self, found: Found) -> Entry:
        facts: Mapping[str, Any] = {}
        for key in (sidecar_of(found.key), _stem(found.key) + ".json") if found.sidecar_modified else ():
            try:
                facts = _object(await self._storage.get(key))
                break
            except KeyError:
                continue
        if not facts and found.size <= MAX_EMBEDDED:
            facts = read(await self._storage.get(found.key)).metadata or {}
        return _entry(found, facts)

    async def _exists(self, key: str) -> bool:
        try:
            await self._storage.stat(key)
        except KeyError:
            return False
        return True

    def _find_root(self) -> Path | None:
        path = self._storage.local_path("x")
        return path.parent if path else None

    def _root_time(self) -> int:
        try:
            return self._root.stat().st_mtime_ns if self._root else 0
        except OSError:
            return 0


def _changed(found: Found, known: tuple[int, int, int, bool] | None) -> bool:
    return known is None or known[:3] != (found.modified, found.size, found.sidecar_modified) or found.thumb > known[3]


def _stem(key: str) -> str:
    return key.rpartition(".")[0]


def _sidecar_time(key: str, sidecars: Mapping[str, int]) -> int:
    return sidecars.get(sidecar_of(key)) or sidecars.get(_stem(key) + ".json") or 0


def _read_local(batch: Iterable[Found], paths: Iterable[Path]) -> list[Entry]:
    entries = []
    for found, path in zip(batch, paths, strict=True):
        facts: Mapping[str, Any] = {}
        for sidecar in (
            (path.with_name(path.name + ".json"), path.with_suffix(".json")) if found.sidecar_modified else ()
        ):
            try:
                if sidecar.stat().st_size <= MAX_SIDECAR:
                    facts = _object(sidecar.read_bytes())
                    break
            except OSError:
                continue
        if not facts and found.size <= MAX_EMBEDDED and not found.key.endswith(".mp4"):
            try:
                facts = read(path.read_bytes()).metadata or {}
            except OSError:
                facts = {}
        entries.append(_entry(found, facts))
    return entries


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        log.warning("a sidecar is not JSON; its picture is listed without it")
        return {}
    return value if isinstance(value, dict) else {}


def _entry(found: Found, facts: Mapping[str, Any]) -> Entry:
    return entry(found.key, facts, found.modified, found.size, found.sidecar_modified, thumb=found.thumb)
