"""What a provider can do, as data: the kernel reads it, and refuses the rest before the provider is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ima2.models import Json, Media


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
class Model:
    """A model by its wire name. ``supported=False`` names one that exists but cannot be used here.

    ``state`` is how its service treats it; ``ends`` the ISO date on which it is, or was, shut down, and
    ``replacement`` the model of the same provider that takes its place. ``sizes``, ``qualities`` and
    ``max_references`` narrow what the provider's `Capabilities` say, where the model takes less or more. ``source``
    is where the facts are from, ``checked`` the ISO date on which they were read. ``classic=False`` keeps it out of the
    lists ``valid.imageModels`` and ``valid.videoModels``, which programs for ima2-gen 2.0.2 expect as they know them.
    ``video`` is what a model makes clips from, where that is not what the provider's `Capabilities` say.
    """

    id: str
    title: str = ""
    media: Media | Literal["text"] = "image"
    supported: bool = True
    state: Literal["served", "deprecated", "ended"] = "served"
    ends: str | None = None
    replacement: str = ""
    sizes: Sizes | None = None
    qualities: tuple[str, ...] | None = None
    max_references: int | None = None
    source: str = ""
    checked: str = ""
    classic: bool = True
    video: VideoModes | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of a request that only some providers know.

    ``kind`` is ``choice``, ``flag``, ``text``, ``number`` or ``list`` (of JSON objects, from a route rather than a
    person);
    ``media`` are the ones it matters for; ``values`` are the choices; ``error_code`` answers a value that is none of
    them (400). A number is within ``min`` and ``max``, in steps of ``step`` (a hint for a page), whole if ``integer``.
    ``wire`` is the field of a request's body that sets it, where the HTTP wire of ima2-gen has one of its own; every
    option can be set below ``options`` by its name.
    """

    name: str
    kind: Literal["choice", "flag", "text", "number", "list"]
    title: str
    default: Json = None
    values: tuple[str, ...] = ()
    error_code: str = "INVALID_OPTION"
    media: tuple[Media, ...] = ("image", "video")
    min: float | None = None
    max: float | None = None
    step: float | None = None
    integer: bool = False
    wire: str = ""


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
    (field name to value): what the caller asked there is answered with a warning. ``text`` says that it has words
    (`Provider.text`); ``catalogue`` is the version of its list of models, an ISO date.
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
    text: bool = False
    catalogue: str = ""

    def code(self, refusal: str) -> str:
        """The provider's own code for a generic refusal such as ``REF_TOO_MANY``."""
        prefixed = f"{self.code_prefix}_{refusal}" if self.code_prefix else refusal
        return self.codes.get(refusal, prefixed)

    def option(self, name: str) -> Option | None:
        """The declared option of that name, if any."""
        return next((option for option in self.options if option.name == name), None)


@dataclass(frozen=True, slots=True)
class Listing:
    """The models that a service said an account has (`Provider.models`), and when, in milliseconds since the epoch."""

    models: tuple[Model, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Credential:
    """Something that lets a provider act for its user, as data: any client can show and set it without knowing it.

    ``kind`` is ``key`` (a text), ``file`` (a JSON document such as a service account), ``login`` (signing in) or
    ``program`` (another program that is signed in). ``setting`` names the field of the plugin's settings that holds a
    key or file, ``env`` the environment variable that overrides it, ``pattern`` a regular expression for the whole
    value; ``methods`` are the ways to sign in that `Provider.login` knows (``browser``, ``device``, ``paste``);
    ``hint`` says in a sentence where one gets it, and what its use means. ``alias`` is its name on the wire
    (``/api/keys/<alias>``, ``/api/auth/switch``, ``/api/quota``) where that is not the provider's id. ``needs`` are
    members of a file's document with the pattern of each, ``shown`` the one that may be shown. ``selects`` are other
    settings without which it would lie unused, with the values that suit: the first is stored along with it where
    none of them is in force, and taken back when it is removed.
    """

    name: str
    title: str
    kind: Literal["key", "file", "login", "program"] = "key"
    setting: str = ""
    env: str = ""
    pattern: str = ""
    methods: tuple[str, ...] = ()
    hint: str = ""
    alias: str = ""
    needs: Mapping[str, str] = field(default_factory=dict)
    shown: str = ""
    selects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoginStep:
    """What a person is to do, or be told, while signing in.

    ``kind`` is ``open`` (go to ``url``), ``code`` (enter ``code`` at ``url``), ``paste`` (send the pasted text back
    with ``asend``), ``waiting`` (nothing to do) or ``done`` (``account`` may say whose login it is). ``expires_in`` is
    in seconds.
    """

    kind: Literal["open", "code", "paste", "waiting", "done"]
    text: str
    url: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    expires_in: float | None = None
    account: str | None = field(default=None, repr=False)


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
