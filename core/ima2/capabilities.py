"""What a provider can do, as data: the kernel reads it, and refuses the rest before the provider is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ima2.models import Json, Media


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
