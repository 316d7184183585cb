"""What a feature can do with the gallery: list, read, add, describe, trash, bring back and erase its files.

Plugins reach it through ``ctx.library``. Facts are snake_case; how they are called in sidecars and on the wire is the
library's own concern.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field

from ima2.contracts import Storage
from ima2.models import Json, Notice, Picture

log = logging.getLogger("ima2.library")
REMOVAL_S = 10.0
"""Seconds that one of the `Library.removal_handlers` may take."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is in the gallery now.

    ``picture`` holds the bytes as stored, metadata included. ``warnings`` say what could not be written beside it yet.
    """

    key: str
    url: str
    picture: Picture = field(repr=False)
    facts: Mapping[str, Json] = field(repr=False)
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class LibraryItem:
    """A file of the gallery and what is known of it. Times in milliseconds since the epoch, ``size`` in bytes.

    ``thumb_url`` is ``None`` until there is a thumbnail; ``facts`` are snake_case, fields of facets included.
    """

    key: str
    url: str
    thumb_url: str | None
    created_at: int
    session_id: str | None
    facts: Mapping[str, Json] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LibraryQuery:
    """Which files a page should hold, newest first. Times in milliseconds since the epoch.

    ``before`` with ``before_key`` is where the last page ended. ``filters`` are those that facets offer, by the name a
    client uses, ``scope`` is what is known of the caller and narrows facets (``browser_id``).
    """

    limit: int = 50
    since: int | None = None
    before: int | None = None
    before_key: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    scope: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LibraryPage:
    """One page. ``more`` says whether further files match, ``total`` counts the whole gallery, filters aside."""

    items: Sequence[LibraryItem]
    more: bool
    total: int


@dataclass(frozen=True, slots=True)
class ThumbnailReport:
    """What came of making missing thumbnails. ``failures`` name files, each with a kind (``image``, ``video``) and a
    reason."""

    total: int
    created: int
    skipped: int
    failures: Sequence[tuple[str, str, str]] = ()


RemovalHandler = Callable[[Sequence[str]], Awaitable[Mapping[str, int]]]
"""Is told the keys of files that are gone. Answers with what it changed on account of that, counts by name."""


class Library(ABC):
    """The gallery. A key is the name of a file in its storage, ``/`` between folders; a missing one is ``KeyError``."""

    storage: Storage
    removal_handlers: MutableSequence[RemovalHandler]
    """Who wants to hear of files that were trashed or erased. A plugin adds its own in ``ima2_lifespan`` and takes it
    out again."""

    @abstractmethod
    async def page(self, query: LibraryQuery) -> LibraryPage:
        """Files, newest first. Those that came from elsewhere show within seconds."""

    @abstractmethod
    async def get(self, key: str) -> LibraryItem:
        """One file with all that its sidecar says."""

    @abstractmethod
    async def read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """The bytes of a file, or those from ``start`` up to and without ``end``."""

    @abstractmethod
    async def add(self, picture: Picture, facts: Mapping[str, Json], *, folder: str = "", name: str = "") -> Kept:
        """Store a new file; nothing is ever replaced.

        ``name`` is that of the file without extension, ``{ms}`` and ``{hex}`` in it the time and a random number.
        Raises 507 ``STORAGE_FAILED`` when it could not be stored.
        """

    @abstractmethod
    async def amend(self, key: str, facts: Mapping[str, Json]) -> Sequence[Notice]:
        """Add to what is known of a file. What cannot be written now is a notice, and is written later."""

    @abstractmethod
    async def list_document(self, key: str, facts: Mapping[str, Json]) -> None:
        """Show a file that is no picture, such as the list of a set, as a row of its own for as long as it is there.

        Facts that a row has no field for are added to it; ``url`` is the picture that stands for it. ``KeyError`` for a
        missing file."""

    @abstractmethod
    async def trash(self, keys: Sequence[str]) -> str:
        """Move files to the trash, sidecars and thumbnails with them. Returns the token that brings them back.

        All or none: a missing key is ``KeyError`` before anything moves.
        """

    @abstractmethod
    async def restore(self, token: str) -> Sequence[str]:
        """Bring back what `trash` moved; the keys. Raises 404 ``TRASH_NOT_FOUND``, and 409 ``RESTORE_TARGET_EXISTS``
        where a file of that name is there again."""

    @abstractmethod
    async def erase(self, keys: Sequence[str]) -> None:
        """Delete files for good, sidecars and thumbnails with them."""

    async def announce_removal(self, keys: Sequence[str]) -> dict[str, int]:
        """Tell the `removal_handlers` of files that were trashed or erased, and add up what they changed on account
        of that. One that fails is logged and left out."""
        counts: dict[str, int] = {}
        for handler in list(self.removal_handlers):
            try:
                async with asyncio.timeout(REMOVAL_S):
                    changed = await handler(keys)
            except Exception as error:
                log.warning("files are gone, and who shows them could not be told: %s", type(error).__name__)
                continue
            for name, count in changed.items():
                counts[name] = counts.get(name, 0) + count
        return counts

    @abstractmethod
    async def replace(self, key: str, picture: Picture, facts: Mapping[str, Json]) -> Kept:
        """Put other bytes and facts in the place of a file's, whole or not at all. Only for files that may change,
        whose names begin with ``canvas-``: every other one is cached for long. ``KeyError`` for a missing one."""

    @abstractmethod
    async def make_thumbnails(self) -> ThumbnailReport:
        """Look at all files and make every thumbnail that is missing, now."""

    @abstractmethod
    def writable(self) -> str | None:
        """Why nothing can be stored at the moment, in one sentence; ``None`` if it can. Cheap, to be asked before
        every call that costs money."""
