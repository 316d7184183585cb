"""Requests, what comes back while they run, and what a provider can do: frozen data, no behaviour.

Inside the process a picture is always ``bytes`` with its media type, never base64 text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any
"""A JSON value. (Typed as ``Any``: a recursive alias buys nothing where values only pass through.)"""

Media = Literal["image", "video"]


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture or clip: its bytes and its true media type (sniffed, not declared)."""

    data: bytes = field(repr=False)
    media_type: str

    def __repr__(self) -> str:
        return f"Picture({len(self.data)} bytes, {self.media_type!r})"


@dataclass(frozen=True, slots=True)
class Link:
    """A picture or clip that the upstream is to fetch itself: an ``https`` URL it gave out, or its file id."""

    url: str = field(repr=False)


Source = Picture | Link


# -- requests ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """All ways to make pictures. A route decides how to build one, never which provider code runs.

    ``source`` is the picture to change, ``plain`` says that the words are an instruction to carry out as it stands,
    without
    research or planning. ``count`` asks for that many independent candidates; ``sequence`` (0 = off) for up to that
    many
    pictures of one story. ``partials`` is how many previews per picture are wanted. ``options``
    holds only what the provider's `Capabilities` declare. ``size`` is ``WxH`` in pixels, ``auto``,
    or a form the provider declares. ``any_model`` sends a model that nobody declared as it is, with a warning.
    """

    prompt: str = field(repr=False)
    provider: str
    model: str = ""
    size: str = "1024x1024"
    quality: str = "medium"
    format: str = "png"
    moderation: str = "low"
    references: tuple[Source, ...] = ()
    source: Source | None = None
    mask: Picture | None = None
    plain: bool = False
    count: int = 1
    sequence: int = 0
    partials: int = 0
    options: Mapping[str, Json] = field(default_factory=dict)
    any_model: bool = False


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """All ways to make clips.

    ``mode`` is one of ``text``, ``image``, ``reference``, ``edit``, ``extend``; ``duration`` is in
    seconds; ``resolution`` like ``480p``; ``aspect_ratio`` like ``16:9`` or ``auto``. ``source`` is
    the start frame of ``image``, ``clip`` the input of ``edit`` and ``extend``. ``trim_start`` seconds are cut off
    the start of what comes.
    """

    prompt: str = field(repr=False)
    provider: str
    model: str = ""
    mode: str = "text"
    duration: int = 5
    resolution: str = "480p"
    aspect_ratio: str = "auto"
    source: Source | None = None
    references: tuple[Source, ...] = ()
    clip: Source | None = None
    options: Mapping[str, Json] = field(default_factory=dict)
    any_model: bool = False
    trim_start: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation: who spoke (``user`` or ``assistant``) and what."""

    role: Literal["user", "assistant"]
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextRequest:
    """Words from words and pictures: a planner, a prompt builder, an analysis.

    ``messages`` are earlier turns, oldest first, before ``prompt``; ``schema`` is a JSON schema that the answer, one
    JSON document, is to follow (strictly where the upstream can).
    """

    prompt: str = field(repr=False)
    provider: str
    system: str = field(default="", repr=False)
    model: str = ""
    pictures: tuple[Source, ...] = ()
    options: Mapping[str, Json] = field(default_factory=dict)
    messages: tuple[Message, ...] = field(default=(), repr=False)
    schema: Mapping[str, Json] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TextResult:
    """The answer to a `TextRequest`. ``cost`` is in US dollars, ``None`` when unknown."""

    text: str = field(repr=False)
    model: str
    usage: Mapping[str, Json] | None = None
    cost: float | None = None


# -- what a provider yields while it works -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Phase:
    """Where the work stands: ``planning``, ``streaming`` or ``decoding``."""

    name: Literal["planning", "streaming", "decoding"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far along, 0 to 1 and never backwards; ``None`` when the upstream does not say."""

    fraction: float | None = None
    stalled: bool = False


@dataclass(frozen=True, slots=True)
class Partial:
    """A preview of picture ``index`` (0-based) that will be replaced."""

    picture: Picture
    index: int = 0


@dataclass(frozen=True, slots=True)
class Artifact:
    """One finished picture or clip. ``index`` is its place among those asked for, 0-based.

    ``url`` is where the upstream keeps it, ``model`` the model that really made it when that
    differs from the request. ``used`` says what the answer names as really used: any of ``quality``, ``size``,
    ``background``, ``format``. ``facts`` are further JSON fields for the sidecar.
    """

    picture: Picture
    index: int = 0
    revised_prompt: str | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    model: str | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)
    used: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one upstream call consumed. Several add up. ``cost`` is in US dollars, ``None`` = unknown.

    ``index`` names the one picture it was for, ``None`` when it was for all of them.
    """

    tokens: Mapping[str, Json] | None = None
    searches: int = 0
    cost: float | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The upstream's own id of a paid job, stored at once so that a restart collects it, never buys it twice.

    ``data`` is the provider's own; ``facts`` are JSON fields that the job's record, its events and the sidecar of a
    clip show of the order.
    """

    id: str
    data: Mapping[str, Json] = field(default_factory=dict)
    facts: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the caller should know: becomes an entry of ``warnings``."""

    code: str
    text: str
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """Picture ``index`` of several could not be made; the others go on."""

    index: int
    error: Exception


Update = Phase | Progress | Partial | Artifact | Usage | Receipt | Notice | Failed


# -- events -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, told to every sink once.

    ``name`` is the wire's event name (``phase``, ``partial``, ``image``, ``done``, ``error``, …); ``data`` is
    JSON-able but for `Picture` values, which each sink renders as it sees fit; ``terminal`` marks a
    job's last event; ``origin`` names the process it happened in. ``direct`` belongs to a job whose caller waits for
    the answer itself.
    """

    name: str
    job_id: str
    data: Mapping[str, Json]
    terminal: bool = False
    origin: str = ""
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A piece of the web page that a plugin offers: data, not HTML. ``script`` is a module URL of the plugin's own
    routes."""

    id: str
    title: str
    slot: str
    script: str
