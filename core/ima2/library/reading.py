"""What is known of files that the index does not know yet: from their sidecars, else from within."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ima2.contracts import Storage
from ima2.library.index import Entry, entry_of
from ima2.library.names import NO_THUMB, is_clip, sidecar_of, stem_of
from ima2.library.sidecar import decode
from ima2.media.embed import read

log = logging.getLogger("ima2.library")
MAX_SIDECAR = 4_000_000
MAX_EMBEDDED = 64_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the gallery as the storage lists it. ``thumb`` is a form of `names.thumb_of`."""

    key: str
    modified: int
    size: int
    sidecar_modified: int
    thumb: int


class Reader:
    """Reads files in batches: those of this machine in one thread, others one by one."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def entries(self, batch: Sequence[Found]) -> tuple[list[Entry], list[str]]:
        """Index entries, and the names of files that could not be read, with the reason."""
        paths = [self._storage.local_path(one.key) for one in batch]
        local = [(one, path) for one, path in zip(batch, paths, strict=True) if path is not None]
        if len(local) == len(batch):
            return await asyncio.to_thread(_read_all, local)
        entries, unread = [], []
        for one in batch:
            try:
                entries.append(_entry(one, await self._sidecar(one)))
            except KeyError:
                continue
            except Exception as error:
                unread.append(_unread(one, error))
        return entries, unread

    async def found(self, key: str) -> Found:
        """One file as it lies there. ``KeyError`` for a missing one."""
        stored = await self._storage.stat(key)
        for sidecar in (sidecar_of(key), stem_of(key) + ".json"):
            try:
                return Found(key, stored.modified, stored.size, (await self._storage.stat(sidecar)).modified, NO_THUMB)
            except KeyError:
                continue
        return Found(key, stored.modified, stored.size, 0, NO_THUMB)

    async def sidecar(self, key: str, *, embedded: bool = True) -> Mapping[str, Any]:
        """All that is known of one file, without a sidecar by what it carries. ``KeyError`` for a missing one."""
        return await self._sidecar(await self.found(key), embedded=embedded)

    async def _sidecar(self, found: Found, *, embedded: bool = True) -> Mapping[str, Any]:
        for key in _sidecars(found):
            try:
                if (await self._storage.stat(key)).size <= MAX_SIDECAR:
                    return decode(await self._storage.get(key))
            except KeyError:
                continue
        if not embedded or found.size > MAX_EMBEDDED or is_clip(found.key):
            return {}
        return _embedded(await self._storage.get(found.key))


def _read_all(batch: Sequence[tuple[Found, Path]]) -> tuple[list[Entry], list[str]]:
    entries, unread = [], []
    for found, path in batch:
        try:
            entries.append(_entry(found, _read_one(found, path)))
        except FileNotFoundError:
            continue  # gone meanwhile
        except Exception as error:
            unread.append(_unread(found, error))
    return entries, unread


def _read_one(found: Found, path: Path) -> Mapping[str, Any]:
    for key in _sidecars(found):
        sidecar = path.with_name(key.rpartition("/")[2])
        try:
            if sidecar.stat().st_size <= MAX_SIDECAR:
                return decode(sidecar.read_bytes())
        except OSError:
            continue
    if found.size > MAX_EMBEDDED or is_clip(found.key):
        path.stat()
        return {}
    return _embedded(path.read_bytes())


def _sidecars(found: Found) -> tuple[str, ...]:
    """Where facts may stand. Those of a card's picture carry its name without extension."""
    return (sidecar_of(found.key), stem_of(found.key) + ".json") if found.sidecar_modified else ()


def _embedded(data: bytes) -> Mapping[str, Any]:
    try:
        return read(data).metadata or {}
    except Exception as error:  # a broken picture is a picture without facts
        log.warning("the metadata of a picture could not be read: %s", type(error).__name__)
        return {}


def _entry(found: Found, sidecar: Mapping[str, Any]) -> Entry:
    # the walk may be older than a thumbnail that was made meanwhile: what it did not see stays as it is known
    thumb = found.thumb if found.thumb != NO_THUMB else None
    return entry_of(found.key, sidecar, found.modified, found.size, found.sidecar_modified, thumb)


def _unread(found: Found, error: Exception) -> str:
    log.warning("a file of the gallery could not be read: %s", type(error).__name__)
    return f"{found.key} ({type(error).__name__})"
