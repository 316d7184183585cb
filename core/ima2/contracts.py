"""What plugin authors write: parts. Hooks offer them, their methods do the work.

Base classes, not protocols, so that a method added later comes with a default and old plugins go on
working. Constructing a part does no I/O; ``open`` and ``close`` do.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from ima2.capabilities import Capabilities, Credential, Listing, LoginStep, Model, ProviderStatus, Quota
from ima2.errors import Ima2Error
from ima2.models import Event, ImageRequest, Json, Picture, Receipt, TextRequest, TextResult, Update, VideoRequest

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

    from ima2.media.sniff import MediaFormat

T = TypeVar("T")


class Part(ABC):
    """Something a plugin offers. Opened before the first job, closed in reverse order."""

    id: ClassVar[str]
    """A slug (``a-z``, ``0-9``, ``-``, ``_``), unique among parts of its kind."""

    async def open(self) -> None:
        """Get ready. Bounded by the kernel (5 s); raising makes the whole plugin fail."""

    async def close(self) -> None:
        """Release what was opened. Safe to call twice, or without opening."""

    def problem(self) -> str | None:
        """Say in one sentence what is missing before this can work, and what to do. No I/O beyond a file's presence."""
        return None


@dataclass(slots=True)
class Job:
    """What a provider sees of a job. Cancelling it cancels the task: clean up in ``finally``.

    ``deadline`` is on the clock of ``time.monotonic()``; ``log`` never gets a prompt or picture;
    ``receipt`` is set when work that was paid before a restart is to be collected.
    """

    id: str
    deadline: float = field(default_factory=lambda: time.monotonic() + 900.0)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("ima2.job"))
    receipt: Receipt | None = None
    on_order: Callable[[], Awaitable[None]] | None = field(default=None, repr=False)

    async def order(self) -> None:
        """Say that what costs money comes next. The kernel writes the mark down before this returns.

        A provider calls it itself, right before its first paid request, if its class sets ``marks_orders``; otherwise
        the kernel does so before it asks the provider for anything.
        """
        if self.on_order is not None:
            await self.on_order()

    def remaining(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.deadline - time.monotonic())


class Provider(Part):
    """Turns requests into pictures, clips or words.

    The verbs are async generators: they yield `Update` values as things happen and return at the end.
    They raise `Ima2Error` for what a person can understand; anything else counts as a bug. Nothing
    that costs money is sent twice.
    """

    title: ClassVar[str]
    capabilities: Capabilities = Capabilities()
    is_default: ClassVar[bool] = False
    """Whether ``auto`` means this provider where no setting names one. Of those in use, at most one may say so."""
    is_video_default: ClassVar[bool] = False
    """The same for clips, which few providers make."""
    free: ClassVar[bool] = False
    """Whether its work costs nothing: it is never marked as ordered, and may run again after a restart."""
    marks_orders: ClassVar[bool] = False
    """Whether the provider calls `Job.order` itself: worth it where much free work (planning, uploads) comes first."""
    credentials: Sequence[Credential] = ()
    """What it can be given to act for its user."""
    formats: Sequence[MediaFormat] = ()
    """Types beyond PNG, JPEG, WebP and MP4 that it delivers."""
    listed: Listing | None = None
    """What `models` said last, noted by whoever asked; ``None`` as long as nobody has."""

    def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        """Make pictures. Yield each `Artifact` when it is whole; several candidates may interleave."""
        raise self.unsupported("image")

    def videos(self, request: VideoRequest, job: Job) -> AsyncIterator[Update]:
        """Make a clip. Yield a `Receipt` as soon as the upstream has accepted the job."""
        raise self.unsupported("video")

    def resume(self, receipt: Receipt, request: VideoRequest, job: Job) -> AsyncIterator[Update]:
        """Collect a clip that was ordered before a restart, without ordering again."""
        raise self.unsupported("resume")

    def resume_images(self, receipt: Receipt, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        """Collect pictures that were ordered before a restart, without ordering again."""
        raise self.unsupported("resume")

    async def text(self, request: TextRequest) -> TextResult:
        """Answer in words."""
        raise self.unsupported("text")

    async def status(self) -> ProviderStatus:
        """Probe the upstream, in bounded time and without cost. By default: what `problem` says."""
        problem = self.problem()
        return ProviderStatus("auth_required", reason=problem) if problem else ProviderStatus("ready")

    def about(self) -> Mapping[str, Json]:
        """What a client of the reference wants to know: fields it looks for at the top of ``/api/providers``."""
        return {}

    def runtime(self) -> Mapping[str, Json] | None:
        """A local process this provider leans on, as ``/api/health`` shows it: ports, address, state."""
        return None

    async def quota(self) -> Quota | None:
        """What is left to spend, or ``None`` where the upstream does not say."""
        return None

    async def billing(self) -> Mapping[str, Json] | None:
        """What the upstream says of the bill, as fields of ``/api/billing``, in bounded time; ``None`` for nothing."""
        return None

    async def logout(self, name: str = "") -> bool:
        """Forget the login that is stored for one of the credentials (the first by default); whether there was one."""
        raise self.unsupported("logout")

    async def models(self) -> Sequence[Model]:
        """The models that the account really has, in bounded time and without cost; empty where the upstream tells
        none."""
        return ()

    async def verify(self, values: Mapping[str, str]) -> ProviderStatus:
        """Whether credentials (value by name) are accepted upstream, before they are stored. By default: not known."""
        return ProviderStatus("unknown", reason="This provider cannot verify credentials.")

    def login(self, method: str = "") -> AsyncGenerator[LoginStep, str | None]:
        """Sign in by one of a credential's ``methods``; ends with a step ``done`` once the login is stored whole."""
        raise self.unsupported("login")

    async def reconfigure(self, settings: object) -> None:
        """Take new settings while running. By default they count from the next start."""

    def unsupported(self, what: str) -> Ima2Error:
        """The refusal of a medium this provider does not make."""
        code = self.capabilities.code(f"{what.upper()}_UNSUPPORTED")
        return Ima2Error(code, 400, f"Provider {self.id} does not offer {what}.")


@dataclass(frozen=True, slots=True)
class Stored:
    """An object in a storage. ``modified`` is in milliseconds since the epoch."""

    key: str
    size: int
    modified: int


class Storage(Part):
    """Keys and bytes. A key is a relative path with ``/`` between segments; see `ima2.keys.check`.

    ``put`` is whole or absent: a reader sees the old object, the new one or none. A missing key is
    ``KeyError`` everywhere.
    """

    @abstractmethod
    async def put(self, key: str, data: bytes) -> Stored:
        """Write an object, replacing one of that key."""

    @abstractmethod
    async def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Read an object, or the bytes ``start`` up to and without ``end``."""

    @abstractmethod
    async def stat(self, key: str) -> Stored:
        """Size and time of an object."""

    @abstractmethod
    def list(self, prefix: str = "") -> AsyncIterator[Stored]:
        """All objects whose key begins with ``prefix``, in no promised order."""

    @abstractmethod
    async def move(self, key: str, to: str) -> None:
        """Rename an object; ``to`` must be free (`FileExistsError`)."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove an object."""

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read in pieces of at most 256 KiB. The default reads range by range."""
        stop = (await self.stat(key)).size if end is None else end
        for offset in range(start, stop, 262_144):
            yield await self.get(key, offset, min(offset + 262_144, stop))

    def local_path(self, key: str) -> Path | None:
        """Where the object lies as a file of this machine, if it does."""
        return None

    def unlisted(self) -> Sequence[str]:
        """Names that the last whole `list` had to leave out, folders with a ``/`` behind, fit to be printed: no keys,
        links, what could not be read. At most a thousand."""
        return ()

    def report(self) -> Mapping[str, Json]:
        """What ``/api/storage/status`` tells of this storage, in that answer's own names. May block for a while."""
        return {}


class Thumbnailer(Part):
    """Makes a small JPEG of a picture or clip, off the event loop, within limits on pixels and time."""

    media_types: ClassVar[tuple[str, ...]]
    """What it takes, for instance ``image/png``."""
    preference: ClassVar[int] = 0
    """Of two that take the same type, the higher one is used; a setting may name another."""
    formats: Sequence[MediaFormat] = ()
    """Types beyond PNG, JPEG, WebP and MP4 that it takes: from then on the gallery lists and serves them."""

    @abstractmethod
    async def thumbnail(self, source: Picture | Path, width: int = 320) -> bytes:
        """A JPEG at most ``width`` pixels wide, never enlarged, turned upright.

        Raises `Ima2Error` ``IMAGE_TOO_LARGE`` (413) above the pixel limit and ``IMAGE_INVALID`` (400) for
        what is no picture.
        """


class EventSink(Part):
    """Hears every event once, in order, through a bounded queue of its own."""

    @abstractmethod
    async def handle(self, event: Event) -> None:
        """Take one event. A slow sink loses its oldest previews first and never holds up a job."""

    async def flush(self) -> None:
        """Wait until what was handled so far is stored for good. A sink that stores nothing has nothing to do."""

    async def has_end(self, job_id: str, since: int) -> bool:
        """Whether a terminal event of a job, handled at or after a time (ms), is stored here: it is not told again."""
        return False


# -- what plugins are handed ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a schema. Numbers start at 1 without gaps; ``statements`` run in one transaction, once."""

    number: int
    statements: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """What a plugin keeps in the database: its tables, made when missing, and the steps from older shapes."""

    metadata: MetaData
    migrations: Sequence[Migration] = ()


class Sql(ABC):
    """The database, off the event loop. Work is a function of a SQLAlchemy connection, run in one transaction."""

    @abstractmethod
    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on a reading connection."""

    @abstractmethod
    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on the one writing connection and commit; roll back when it raises."""
