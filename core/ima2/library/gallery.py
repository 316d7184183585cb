"""The library in use: media, sidecars and thumbnails in a storage, and an index of them in SQL."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import orjson

from ima2.contracts import Sql, Storage, Stored
from ima2.errors import Ima2Error
from ima2.kernel import guard
from ima2.kernel.registry import Registry
from ima2.keys import check
from ima2.library.index import Entry, Index, entry_of
from ima2.library.names import (
    CHANGING,
    NO_THUMB,
    OWN_THUMB,
    STEM_THUMB,
    is_clip,
    is_media,
    sidecar_of,
    thumb_of,
    url_of,
)
from ima2.library.pages import Listed, Pages
from ima2.library.reading import Reader
from ima2.library.repairs import Repairs
from ima2.library.rescue import Rescue
from ima2.library.scan import Scan
from ima2.library.series import series
from ima2.library.sidecar import encode, from_facts, to_facts
from ima2.library.spool import Spool, Spooled
from ima2.library.thumbs import Thumbs
from ima2.library.trash import Trash
from ima2.library.watch import Watch
from ima2.library_api import Kept, Library, LibraryItem, LibraryPage, LibraryQuery, ThumbnailReport
from ima2.media.embed import embed
from ima2.media.sniff import EXTENSIONS, register_format
from ima2.models import Notice, Picture

log = logging.getLogger("ima2.library")
FIRST_PAGE_S = 0.8
"""How long the first page of a gallery that was never indexed waits for its newest pictures."""
PENDING = Notice(
    "SIDECAR_PENDING", "The picture is saved. What is known of it could not be written down yet and follows by itself."
)


class Gallery(Library):
    """Keeps what is made and lists it. The files are the truth: the index is rebuilt from them.

    Once a file is stored nothing that follows fails its caller: a sidecar or row that cannot be written becomes a
    notice and is written later.
    """

    def __init__(
        self,
        storage: Storage,
        database: Sql,
        registry: Registry,
        *,
        thumbnailer: str = "",
        trash: str = ".trash",
        spool: Path | None = None,
    ) -> None:
        self.storage = storage
        self._database = database
        self._registry = registry
        self._watch = Watch(storage)
        self._pages = Pages(database, lambda: registry.facets)
        self._trash = Trash(storage, trash)
        self._spool = Spool(spool)
        self._rescue = Rescue(self, self._spool)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._rescan: asyncio.Task[None] | None = None
        self.removal_handlers = []
        self._undescribed: set[str] = set()
        """Files whose whole sidecar waits to be written: what they carry is only a part of it."""
        self.index = Index(database)
        self._reader = Reader(storage)
        self.scan = Scan(storage, self.index, self._reader, self._watch, skip=trash)
        self.thumbs = Thumbs(storage, self.index, registry, self._watch, preferred=thumbnailer)
        self.repairs = Repairs(self._repair)

    async def open(self) -> None:
        """Get ready to list what is indexed; `refresh` brings the index up to date in the background."""
        formats = [one.formats for one in self._registry.thumbnailers.values()]
        for brought in chain(*formats, *(one.formats for one in self._registry.providers.values())):
            register_format(brought)
        await self.index.count()

    async def close(self) -> None:
        """Stop working in the background."""
        if self._rescan is not None:
            self._rescan.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._rescan
        await self._rescue.close()
        await self.thumbs.close()
        await self.repairs.close()

    # -- keeping -----------------------------------------------------------------------------

    def writable(self) -> str | None:
        try:
            return guard.ask(self.storage, "problem", (str, type(None)))  # type: ignore[no-any-return]
        except Ima2Error as error:
            log.warning("the storage cannot say whether it works: %s", error.text)
            return None

    async def keep(self, key: str, picture: Picture, facts: Mapping[str, Any], *, embedded: bool = True) -> Kept:
        """Store a file with its sidecar and list it: the media first, then the sidecar, then the row.

        ``facts`` becomes the sidecar and, with ``embedded``, travels inside the picture too. The thumbnail follows in
        the background. Raises 507 ``STORAGE_FAILED`` when the file itself could not be stored.
        """
        check(key)
        sidecar = from_facts(facts)
        data = await asyncio.to_thread(_embedded, picture.data, sidecar) if embedded else picture.data
        async with self._lock(key):
            self.scan.touched(key)
            with self._watch.own():
                try:
                    stored = await self.storage.put(key, data)
                except Exception as error:
                    raise _unstored(error) from error
            self.thumbs.forget(key)
            self.repairs.forget(key)
            try:
                await self._describe(stored, sidecar)
                warnings: tuple[Notice, ...] = ()
            except Exception as error:
                self._undescribed.add(key)
                warnings = self._later(key, sidecar, error)
        self.thumbs.soon(key)
        return Kept(key, url_of(key), Picture(data, picture.media_type), facts, warnings)

    async def add(self, picture: Picture, facts: Mapping[str, Any], *, folder: str = "", name: str = "") -> Kept:
        extension = EXTENSIONS.get(picture.media_type)
        if extension is None:
            raise Ima2Error("FORMAT_UNSUPPORTED", 400, f"The gallery takes no files of the type {picture.media_type}.")
        base, number = name or "{ms}_{hex}", 1
        while True:
            stem = base.replace("{ms}", str(int(time.time() * 1000))).replace("{hex}", secrets.token_hex(4))
            key = f"{folder}/{stem}".lstrip("/") + (f"-{number}" if number > 1 else "") + f".{extension}"
            if not await self._exists(check(key)):
                return await self.keep(key, picture, facts, embedded=picture.media_type.startswith("image/"))
            number += 1

    async def replace(self, key: str, picture: Picture, facts: Mapping[str, Any]) -> Kept:
        await self.storage.stat(check(key))
        if not key.rpartition("/")[2].startswith(CHANGING):
            raise Ima2Error("FILE_IMMUTABLE", 409, "The bytes of that file never change: add another one.")
        return await self.keep(key, picture, facts, embedded=picture.media_type.startswith("image/"))

    async def amend(self, key: str | Kept, facts: Mapping[str, Any]) -> tuple[Notice, ...]:
        name = key.key if isinstance(key, Kept) else key
        sidecar = from_facts(facts)
        async with self._lock(name):
            await self.storage.stat(check(name))
            try:
                await self._add_facts(name, sidecar)
            except Exception as error:
                return self._later(name, sidecar, error)
        return ()

    async def list_document(self, key: str, facts: Mapping[str, Any]) -> None:
        stored = await self.storage.stat(check(key))
        entry = entry_of(key, from_facts(facts), stored.modified, stored.size, 0, NO_THUMB)
        own = from_facts({name: value for name, value in facts.items() if name != "created_at"})
        row = {**orjson.loads(entry.row), **own}
        await self.index.put([replace(entry, row=encode(row).decode())])

    async def repair(self, key: str, facts: Mapping[str, Any]) -> bool:
        """Write the sidecar of a file again if it is missing, as after a crash. Whether the file itself is there."""
        if not await self._exists(key):
            return False
        if not await self._exists(sidecar_of(key)):
            await self.amend(key, facts)
        return True

    async def spool(self, picture: Picture, facts: Mapping[str, Any], *, key: str = "") -> Spooled:
        """Set a file aside that could not be stored. With a ``key`` it moves into the gallery once that is possible.

        Raises 507 ``STORAGE_FAILED`` when no folder of this machine takes it.
        """
        spooled = await asyncio.to_thread(self._spool.put, picture, facts, key)
        self._rescue.soon()
        return spooled

    async def spooled(self, name: str) -> Path | str | None:
        """Where a file of the spool is: its path, or by now its key in the gallery."""
        return await asyncio.to_thread(self._spool.find, name)

    # -- taking away ---------------------------------------------------------------------------

    async def trash(self, keys: Sequence[str]) -> str:
        async with self._taking(keys):
            token = await self._trash.put(keys)
            await self._forget(keys)
        return token

    async def restore(self, token: str) -> list[str]:
        with self._watch.own():
            keys = await self._trash.restore(token)
        for key in keys:
            self.scan.touched(key)
            with contextlib.suppress(Exception):  # the files are back: the next walk lists them too
                await self.scan.add(key)
            self.thumbs.soon(key)
        return keys

    async def erase(self, keys: Sequence[str]) -> None:
        async with self._taking(keys):
            for key in keys:
                await self._trash.erase(key)
                await self._forget([key])

    # -- listing -----------------------------------------------------------------------------

    async def page(self, query: LibraryQuery) -> LibraryPage:
        rows, more = await self.rows(query)
        return LibraryPage([_item(row) for row in rows], more, self.index.total)

    async def rows(self, query: LibraryQuery) -> tuple[list[Listed], bool]:
        """The same as stored, for the wire: rows of the gallery, newest first, and whether more match."""
        if self._watch.is_due():
            self.refresh()
        if self.index.total == 0 and self._rescan is not None and not self.scan.begun.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.scan.begun.wait(), FIRST_PAGE_S)
        return await self._pages.read(query)

    def filters(self) -> set[str]:
        """The names of filters that facets offer."""
        return self._pages.filters()

    async def get(self, key: str) -> LibraryItem:
        stored = await self.storage.stat(check(key))
        indexed = await self.index.get(key)
        entry = indexed or entry_of(key, {}, stored.modified, stored.size, 0, NO_THUMB)
        facts = {**to_facts(orjson.loads(entry.row)), **to_facts(await self._reader.sidecar(key))}
        url = url_of(thumb_of(key, entry.thumb)) if entry.thumb else None
        return LibraryItem(key, url_of(key), url, entry.created_at, entry.session_id, facts)

    async def read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        return await self.storage.get(check(key), start, end)

    async def series(self, topic: str, last: int) -> tuple[list[str], int]:
        """What the ``last`` clips of a topic showed, oldest first, and how many clips it has."""
        return await series(self._database, topic, last)

    async def make_thumbnails(self) -> ThumbnailReport:
        if self._rescan is not None:
            await asyncio.wait({self._rescan})  # one that is under way may have missed the newest files
        await self.refresh()
        missing = await self.index.without_thumb()
        reasons = await self.thumbs.make_all(missing)
        failures = [(key, "video" if is_clip(key) else "image", text) for key, text in reasons.items()]
        total = self.index.total
        return ThumbnailReport(total, len(missing) - len(failures), total - len(missing), failures)

    def unlisted(self) -> list[str]:
        """Names of files that the last walk could not list, with the reason."""
        return list(self.scan.unlisted)

    def refresh(self) -> asyncio.Task[None]:
        """Bring the index up to date with the files, in the background; one run at a time."""
        if self._rescan is None or self._rescan.done():
            self._rescan = asyncio.create_task(self._refresh())
        return self._rescan

    # -- inside ------------------------------------------------------------------------------

    async def _refresh(self) -> None:
        try:
            await self.scan.run()
        except Exception:
            log.exception("the gallery could not be indexed")
            return
        self._rescue.soon()
        for key in await self.index.without_thumb():
            self.thumbs.soon(key)

    async def _repair(self, key: str) -> None:
        async with self._lock(key):
            await self._add_facts(key, {})

    async def _add_facts(self, key: str, sidecar: Mapping[str, Any]) -> None:
        """Add to what is known of a file, in sidecar and row, with what waits to be. ``KeyError`` for a missing
        one."""
        known = await self._reader.sidecar(key, embedded=key not in self._undescribed)
        whole = {**known, **self.repairs.facts(key), **sidecar}
        await self._describe(await self.storage.stat(key), whole)
        self.repairs.forget(key)

    async def _describe(self, stored: Stored, sidecar: Mapping[str, Any]) -> None:
        """Write sidecar and row."""
        self.scan.touched(stored.key)
        with self._watch.own():
            written = await self.storage.put(sidecar_of(stored.key), encode(sidecar))
        self._undescribed.discard(stored.key)
        await self.index.put([entry_of(stored.key, sidecar, stored.modified, stored.size, written.modified)])

    def _later(self, key: str, sidecar: Mapping[str, Any], error: Exception) -> tuple[Notice, ...]:
        """Have facts written that could not be written now."""
        log.warning("what is known of a picture could not be written yet: %s", type(error).__name__)
        self.repairs.add(key, sidecar)
        return (PENDING,)

    async def _exists(self, key: str) -> bool:
        try:
            await self.storage.stat(key)
        except KeyError:
            return False
        return True

    @contextlib.asynccontextmanager
    async def _taking(self, keys: Sequence[str]) -> AsyncIterator[None]:
        """While files are taken away nobody else writes to them. ``KeyError`` for what is no picture or clip."""
        if others := [key for key in keys if not is_media(key)]:
            raise KeyError(others[0])
        async with contextlib.AsyncExitStack() as stack:
            for key in sorted(set(keys)):
                await stack.enter_async_context(self._lock(key))
                self.scan.touched(key)
            stack.enter_context(self._watch.own())
            yield

    async def _forget(self, keys: Sequence[str]) -> None:
        """Drop what belongs to files that are gone: rows, thumbnails, what waits to be written. What cannot be dropped
        now is found by the next walk."""
        for key in keys:
            self.repairs.forget(key)
            self.thumbs.forget(key)
        try:
            for key in keys:
                if (entry := await self.index.get(key)) is not None:
                    await self._drop_thumb(entry)
            await self.index.remove(keys)
        except Exception as error:
            log.warning("the index still lists files that are gone: %s", type(error).__name__)

    async def _drop_thumb(self, entry: Entry) -> None:
        for form in (STEM_THUMB, OWN_THUMB):
            if entry.thumb == form:
                with contextlib.suppress(KeyError):
                    await self.storage.delete(thumb_of(entry.key, form))

    def _lock(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())


def _embedded(data: bytes, sidecar: Mapping[str, Any]) -> bytes:
    try:
        return embed(data, sidecar)
    except Exception as error:  # the picture was paid for; its metadata is a courtesy
        log.warning("metadata could not be put into a picture: %s", type(error).__name__)
        return data


def _unstored(error: Exception) -> Ima2Error:
    if isinstance(error, Ima2Error):
        return error
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Ima2Error("STORAGE_FAILED", 507, f"The picture was made but could not be saved: {reason}.")


def _item(listed: Listed) -> LibraryItem:
    facts = {**to_facts(orjson.loads(listed.row)), **to_facts(listed.fields)}
    return LibraryItem(listed.key, url_of(listed.key), listed.thumb_url, listed.created_at, listed.session_id, facts)
