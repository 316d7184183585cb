"""What a feature stands on: asking for pictures, clips and words, running jobs of its own, and following them.

Plugins reach these through ``ctx.studio``; the server's routes and the command line use the same ones. How a request
came (HTTP, command line, a script) is no concern here: a caller writes a typed request and a `Label`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ima2.contracts import Part, Provider
from ima2.errors import Ima2Error
from ima2.models import (
    Artifact,
    Event,
    Failed,
    ImageRequest,
    Json,
    Media,
    Notice,
    Picture,
    Receipt,
    TextRequest,
    TextResult,
    VideoRequest,
)

if TYPE_CHECKING:
    from ima2.jobs.record import JobRecord

Request = ImageRequest | VideoRequest


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings allow a request: how many reference pictures, characters of base64 of each, characters of a
    prompt."""

    references: int = 5
    reference_chars: int = 7_340_032
    prompt_chars: int = 32_000


@dataclass(frozen=True, slots=True)
class Label:
    """Who asks, how the files are called, and what is written down beside the request.

    ``id`` is the job's id (one is made where it is empty), ``kind`` what its record is listed as. ``name`` is the
    pattern of file names: ``{ms}`` the time of admission in milliseconds, ``{hex}`` a number of the job, ``{index}``
    the place among several, ``{id}`` the job's id; ``folder`` a folder of the gallery. ``parent`` names what this
    grows from. ``facts`` (snake_case) go into each sidecar, ``meta`` into the record as it is shown. ``client`` tells
    callers apart who share the line fairly. ``view`` names the entry of `Studio.views` that renders the job for its
    clients, ``kind`` where it is empty, and ``extra`` holds what that view needs beside the request. ``warnings`` are
    what the caller already has to say. ``direct`` says that the caller waits for the answer itself, so that
    other readers of the event stream need not hear of it.
    """

    id: str = ""
    kind: str = "classic"
    session_id: str | None = None
    parent: str | None = None
    client_id: str | None = None
    client: str = ""
    folder: str = ""
    name: str = "{ms}_{hex}_{index}"
    facts: Mapping[str, Json] = field(default_factory=dict, repr=False)
    meta: Mapping[str, Json] = field(default_factory=dict, repr=False)
    view: str = ""
    extra: Mapping[str, Json] = field(default_factory=dict, repr=False)
    warnings: Sequence[Mapping[str, Json]] = ()
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """A picture or clip that is safely in the gallery.

    ``picture`` holds the bytes as stored, ``facts`` the sidecar, ``artifact`` what the provider handed over;
    ``created_at`` is in milliseconds, ``index`` the place among those asked for. One that is ``spooled`` could not be
    stored yet: it lies aside, under ``url``, and moves to ``key`` by itself.
    """

    key: str
    url: str
    picture: Picture = field(repr=False)
    facts: Mapping[str, Json] = field(repr=False)
    artifact: Artifact = field(repr=False)
    created_at: int
    index: int = 0
    spooled: bool = False


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of a job: files in the order they were asked for, what failed, what it took.

    ``request`` is the request as it took effect. ``usage`` adds up the upstream's counts, ``cost`` is in US dollars as
    reported, ``estimate`` by list prices; ``elapsed`` in seconds with one decimal. ``data`` is the answer as clients
    read it: the data of the ``done`` event.
    """

    id: str
    request: Request | None = field(repr=False)
    kept: Sequence[Output] = ()
    failed: Sequence[Failed] = ()
    warnings: Sequence[Mapping[str, Json]] = ()
    usage: Mapping[str, Json] | None = None
    searches: int = 0
    cost: float | None = None
    estimate: float | None = None
    elapsed: float = 0.0
    receipt: Receipt | None = None
    data: Mapping[str, Json] = field(default_factory=dict, repr=False)


class JobView:
    """How a job reads to its clients, as JSON (`Picture` values may stand in it). Made from the request and the label
    alone, so that it can be made again after a restart. The defaults are plain and complete."""

    first_phase: ClassVar[str] = ""
    """The phase that the record shows from the start; empty for `queued` until the upstream has answered."""

    def __init__(self, request: Request | None, label: Label) -> None:
        self.request, self.label = request, label

    def started(self) -> tuple[str, Mapping[str, Json]] | None:
        """The event at the start, if there is one."""
        return "phase", {"phase": "streaming"}

    def preview(self, index: int) -> Mapping[str, Json]:
        """What a ``partial`` event says beside the picture."""
        return {"index": index}

    def picture(self, output: Output, result: JobResult) -> Mapping[str, Json] | None:
        """The ``image`` event of a file that was just kept; ``None`` for no such event."""
        return None

    def ordered(self, receipt: Receipt) -> tuple[str, Mapping[str, Json]] | None:
        """The event that says the upstream has accepted the work."""
        return None

    def facts(self, artifact: Artifact, result: JobResult) -> Mapping[str, Json]:
        """Facts (snake_case) of one file that only its place among the others tells. Asked when it is kept and again
        at the end."""
        return {}

    def done(self, result: JobResult) -> Mapping[str, Json]:
        """The answer, and the data of the ``done`` event."""
        return {"id": result.id, "images": [{"image": one.picture, "url": one.url} for one in result.kept]}

    def translate(self, error: Ima2Error) -> Ima2Error:
        """A failure as the clients of these jobs know it: another code or status for the same thing."""
        return error

    def error(self, error: Ima2Error, result: JobResult | None = None) -> Mapping[str, Json]:
        """The body of a failure, and with its status the ``error`` event. ``result`` is there once work had begun."""
        return {"error": error.text, "code": error.code, **error.details}

    def record(self, result: JobResult, error: Ima2Error | None = None) -> Mapping[str, Json]:
        """What the record shows in addition once the job has ended."""
        return {"filenames": [one.key for one in result.kept], "imageCount": len(result.kept)}

    def http_status(self, result: JobResult) -> int:
        """How the record of a job that brought something ends."""
        return 200


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that its provider takes: as it will be sent, what differs from what was asked, and its list price."""

    request: Request
    provider: Provider
    notices: Sequence[Notice] = ()
    estimate: float | None = None


class JobHandle(ABC):
    """A job that was let in. It goes on whether anybody follows it or not."""

    id: str
    data: Mapping[str, Json]
    """The data of its ``done`` or ``error`` event; empty until then."""

    @abstractmethod
    def events(self) -> AsyncIterator[Event]:
        """Its events from now on, up to and with the terminal one. A slow reader misses previews first."""

    @abstractmethod
    async def result(self) -> JobResult:
        """Wait for the end. Raises `Ima2Error` as its clients see it: the failure, 499 for a cancelled job."""

    @abstractmethod
    async def cancel(self) -> bool:
        """Stop it; whether it was still running."""


class JobScope(ABC):
    """What the work of a job of a feature's own (`Studio.run`) is handed."""

    id: str

    @property
    @abstractmethod
    def canceled(self) -> bool:
        """Whether somebody stopped the job."""

    @abstractmethod
    def phase(self, name: str) -> None:
        """Say where the work stands."""

    @abstractmethod
    def tell(self, name: str, data: Mapping[str, Json]) -> None:
        """Publish an event of this job; never a terminal one."""

    @abstractmethod
    async def submit(self, request: Request, label: Label | None = None) -> JobHandle:
        """Ask for a picture or clip as a part of this job: it is stopped when this job is."""


class Jobs(ABC):
    """What runs and what has ended."""

    @abstractmethod
    def get(self, job_id: str) -> JobRecord | None:
        """A job that runs, or that ended within the time records are shown."""

    @abstractmethod
    async def wait(self, job_id: str) -> JobRecord:
        """Wait until a job has ended, wherever it runs. 404 ``JOB_NOT_FOUND`` when none of this id is known."""

    @abstractmethod
    async def cancel(self, job_id: str) -> tuple[bool, bool]:
        """Stop a job. Returns whether it was active, and whether work in flight was really cut off."""


class Studio(ABC):
    """The one door to everything that generates."""

    jobs: Jobs
    limits: Limits
    views: MutableMapping[str, Callable[[Request | None, Label], JobView]]
    """How jobs of each kind read to their clients. A plugin adds its kinds before the first job."""

    @abstractmethod
    def providers(self, media: Media | None = None, *, ready: bool = False) -> Sequence[Provider]:
        """Those in use, the default first; with ``ready`` those that say no `Part.problem`."""

    @abstractmethod
    def provider(self, id: str | None = None, media: Media = "image") -> Provider:
        """One by its id; ``None``, ``""`` and ``auto`` mean the default. 400 ``UNKNOWN_PROVIDER`` for any other."""

    @abstractmethod
    def check(self, request: Request) -> Checked:
        """Judge a request by what its provider declares. Raises 400 with the provider's own codes."""

    @abstractmethod
    async def submit(self, request: Request, label: Label | None = None, *, queue: bool = False) -> JobHandle:
        """Check a request, let its job in and start it. With ``queue`` it waits in line where the limit is reached;
        otherwise that is 429 ``TOO_MANY_JOBS``."""

    @abstractmethod
    async def run(self, label: Label, work: Callable[[JobScope], Awaitable[Mapping[str, Json]]]) -> JobHandle:
        """Run a job of a feature's own: admitted, listed, cancelled and ended like any other. What ``work`` returns
        is its ``done`` event."""

    @abstractmethod
    async def text(self, request: TextRequest) -> TextResult:
        """Words from the provider named, or from the default one that has words and is ready."""


class Policy(Part):
    """Sees every request before it runs, in three stages, so that no order among policies is needed."""

    async def rewrite(self, request: Request, label: Label) -> Request:
        """The request as it should run, for instance with a style added. Two policies that change one field: the
        setting ``policies`` decides, and the answer says so."""
        return request

    def facts(self, asked: Request, used: Request, label: Label) -> Mapping[str, Json]:
        """Facts (snake_case) to keep beside the result, of what `rewrite` has done with the request that was
        ``asked``."""
        return {}

    async def check(self, request: Request, label: Label) -> None:
        """Refuse by raising `Ima2Error`."""

    async def reserve(self, job_id: str, request: Request, label: Label, estimate: float | None) -> None:
        """Set aside what the job may cost, or refuse. ``estimate`` is in US dollars, ``None`` where unknown."""

    async def settle(self, job_id: str, cost: float | None, *, known: bool) -> None:
        """Take note of what it cost. Not ``known`` means that it may have been billed and nobody can say."""
