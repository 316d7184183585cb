"""The gallery: media, sidecars and thumbnails in a storage, and an index of them in SQL."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ima2.contracts import Sql, Storage
from ima2.kernel.registry import Registry
from ima2.keys import check
from ima2.library.index import Index, Listed, Query, entry
from ima2.library.rows import sidecar_of, thumb_of, url_of
from ima2.library.scan import Scan
from ima2.library.series import series
from ima2.library.thumbs import Thumbs
from ima2.media.embed import embed
from ima2.models import Picture

log = logging.getLogger("ima2.library")
RESCAN_S = 3.0
FIRST_PAGE_S = 0.8
"""How long the first page of a gallery that was never indexed waits for its newest pictures."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is in the gallery now. ``picture`` holds the bytes as stored, metadata included."""

    key: str
    url: str
    picture: Picture
    facts: Mapping[str, Any]


class Library:
    """Keeps what is made and lists it. The files are the truth: the index is rebuilt from them."""

    def __init__(self, storage: Storage, database: Sql, registry: Registry, *, thumbnailer: str = "") -> None:
        self.storage = storage
        self._database = database
        self.index = Index(database)
        self.scan = Scan(storage, self.index)
        self.thumbs = Thumbs(storage, self.index, registry, thumbnailer, self.scan.touched)
        self._looked_at = 0.0
        self._rescan: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Get ready to list what is indexed; `refresh` brings the index up to date in the background."""
        await self.index.open()

    async def close(self) -> None:
        """Stop working in the background."""
        if self._rescan is not None:
            self._rescan.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._rescan
        await self.thumbs.close()

    # -- keeping -----------------------------------------------------------------------------

    async def keep(self, key: str, picture: Picture, facts: Mapping[str, Any], *, embedded: bool = True) -> Kept:
        """Store a file with its sidecar and list it: the media first, then the sidecar, then the row.

        ``facts`` becomes the sidecar and, with ``embedded``, travels inside the picture too. The thumbnail follows in
        the background.
        """
        check(key)
        data = await asyncio.to_thread(embed, picture.data, facts) if embedded else picture.data
        stored = await self.storage.put(key, data)
        sidecar = await self.storage.put(sidecar_of(key), orjson.dumps(dict(facts)))
        await self.index.put([entry(key, facts, stored.modified, stored.size, sidecar.modified)])
        self.scan.touched()
        self.thumbs.soon(key)
        return Kept(key, url_of(key), Picture(data, picture.media_type), facts)

    async def amend(self, kept: Kept, facts: Mapping[str, Any]) -> None:
        """Add to what is known of a file, in its sidecar and its row."""
        merged = {**kept.facts, **facts}
        sidecar = await self.storage.put(sidecar_of(kept.key), orjson.dumps(merged))
        stored = await self.storage.stat(kept.key)
        await self.index.put([entry(kept.key, merged, stored.modified, stored.size, sidecar.modified)])
        self.scan.touched()

    # -- listing -----------------------------------------------------------------------------

    async def page(self, query: Query) -> tuple[list[Listed], bool]:
        """Rows of the gallery, newest first, and whether more match. Notices files that came from elsewhere."""
        if time.monotonic() - self._looked_at > RESCAN_S:
            self._looked_at = time.monotonic()
            if self.scan.root_changed():
                self.refresh()
        if self.index.total == 0 and self._rescan is not None and not self.scan.begun.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.scan.begun.wait(), FIRST_PAGE_S)
        return await self.index.page(query)

    async def series(self, topic: str, last: int) -> tuple[list[str], int]:
        """What the ``last`` clips of a topic showed, oldest first, and how many clips it has."""
        return await series(self._database, topic, last)

    def refresh(self) -> asyncio.Task[None]:
        """Bring the index up to date with the files, in the background; one run at a time."""
        if self._rescan is None or self._rescan.done():
            self._rescan = asyncio.create_task(self._refresh())
        return self._rescan

    async def _refresh(self) -> None:
        try:
            await self.scan.run()
        except Exception:
            log.exception("the gallery could not be indexed")
            return
        for key in await self.index.without_thumb():
            self.thumbs.soon(key)

    def thumb_url(self, listed: Listed) -> str | None:
        """Where a row's thumbnail is, if it has one."""
        return url_of(thumb_of(listed.key)) if listed.thumb else None
