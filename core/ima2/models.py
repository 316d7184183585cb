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
    or a form the provider declares.
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


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """All ways to make clips.

    ``mode`` is one of ``text``, ``image``, ``reference``, ``edit``, ``extend``; ``duration`` is in
    seconds; ``resolution`` like ``480p``; ``aspect_ratio`` like ``16:9`` or ``auto``. ``source`` is
    the start frame of ``image``, ``clip`` the input of ``edit`` and ``extend``.
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


@dataclass(frozen=True, slots=True)
class TextRequest:
    """Words from words and pictures: a planner, a prompt builder, an analysis."""

    prompt: str = field(repr=False)
    provider: str
    system: str = field(default="", repr=False)
    model: str = ""
    pictures: tuple[Source, ...] = ()
    options: Mapping[str, Json] = field(default_factory=dict)


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
    differs from the request. ``facts`` are further JSON fields for the sidecar.
    """

    picture: Picture
    index: int = 0
    revised_prompt: str | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    model: str | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)


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
    """The upstream's own id of a paid job, stored at once so that a restart collects it, never buys it twice."""

    id: str
    data: Mapping[str, Json] = field(default_factory=dict)


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


# -- what a provider can do ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Model:
    """A model by its wire name. ``supported=False`` names one that exists but cannot be used here."""

    id: str
    title: str = ""
    media: Media = "image"
    supported: bool = True


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of a request that only some providers know.

    ``kind`` is ``choice``, ``flag``, ``text``, ``number`` or ``list`` (of JSON objects, from a route rather than a
    person);
    ``media`` are the ones it matters for; ``values`` are the choices; ``error_code`` answers a value that is none of
    them (400).
    """

    name: str
    kind: Literal["choice", "flag", "text", "number", "list"]
    title: str
    default: Json = None
    values: tuple[str, ...] = ()
    error_code: str = "INVALID_OPTION"
    media: tuple[Media, ...] = ("image", "video")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Which sizes are taken. ``free`` allows any ``WxH`` within the bounds (pixels); ``forms`` are
    further patterns (regular expressions, whole match)."""

    listed: tuple[str, ...] = ("1024x1024",)
    free: bool = False
    auto: bool = True
    max_edge: int = 8192
    forms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VideoModes:
    """What a provider of video takes: ``modes`` as in `VideoRequest`, durations in seconds per mode.

    ``models`` names the only models of a mode, its default first; a mode that is not in it takes them all.
    """

    modes: tuple[str, ...]
    durations: Mapping[str, tuple[int, int]]
    resolutions: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    max_references: int = 0
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Price:
    """A list price in US dollars: ``unit`` is ``image``, ``second``, ``input-image`` or ``search``."""

    model: str
    unit: Literal["image", "second", "input-image", "search"]
    usd: float
    quality: str | None = None
    resolution: str | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do, as data: the kernel refuses the rest before the provider is called.

    ``formats`` are the file formats it can be asked for; empty means the format comes as it comes.
    ``max_references`` counts every input picture of one request, the source of an edit among them unless
    ``source_is_extra``. ``code_prefix`` and ``codes`` name the
    provider's own error codes: a refusal ``REF_TOO_MANY`` is answered as ``codes["REF_TOO_MANY"]`` or
    ``<code_prefix>_REF_TOO_MANY``. ``fixed`` lists request fields whose value the provider sets itself
    (field name to value): what the caller asked there is answered with a warning.
    """

    media: tuple[Media, ...] = ("image",)
    models: tuple[Model, ...] = ()
    default_model: str = ""
    default_video_model: str = ""
    sizes: Sizes = Sizes()
    default_size: str = "1024x1024"
    qualities: tuple[str, ...] = ("low", "medium", "high")
    formats: tuple[str, ...] = ()
    moderations: tuple[str, ...] = ("auto", "low")
    max_references: int = 0
    source_is_extra: bool = False
    max_count: int = 8
    edit: bool = False
    mask: bool = False
    partials: int = 0
    sequence: int = 0
    links: bool = False
    video: VideoModes | None = None
    options: tuple[Option, ...] = ()
    prices: tuple[Price, ...] = ()
    code_prefix: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Json] = field(default_factory=dict)

    def code(self, refusal: str) -> str:
        """The provider's own code for a generic refusal such as ``REF_TOO_MANY``."""
        prefixed = f"{self.code_prefix}_{refusal}" if self.code_prefix else refusal
        return self.codes.get(refusal, prefixed)

    def option(self, name: str) -> Option | None:
        """The declared option of that name, if any."""
        return next((option for option in self.options if option.name == name), None)


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """A live probe. ``state``: ``ready``, ``starting``, ``auth_required``, ``offline``, ``error`` or a word of the
    provider's own."""

    state: str
    models: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class QuotaWindow:
    """How much of an allowance is used, in percent; ``resets_at`` is ISO 8601 or ``None``."""

    label: str
    percent: int
    resets_at: str | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left with a provider. Money is in US dollars."""

    windows: tuple[QuotaWindow, ...] = ()
    authenticated: bool = True
    account: Mapping[str, Json] = field(default_factory=dict)
    used_usd: float | None = None
    limit_usd: float | None = None


# -- events -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, told to every sink once.

    ``name`` is the wire's event name (``phase``, ``partial``, ``image``, ``done``, ``error``, …); ``data`` is
    JSON-able but for `Picture` values, which each sink renders as it sees fit; ``terminal`` marks a
    job's last event; ``origin`` names the process it happened in.
    """

    name: str
    job_id: str
    data: Mapping[str, Json]
    terminal: bool = False
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A piece of the web page that a plugin offers: data, not HTML. ``script`` is a module URL of the plugin's own
    routes."""

    id: str
    title: str
    slot: str
    script: str
