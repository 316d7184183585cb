"""What both providers can do, as data."""

from __future__ import annotations

from dataclasses import replace

from ima2 import Capabilities, Model, Option, Sizes
from ima2_plugins.openai.catalogue import API_MODELS, CATALOGUE, DRAWING_MODELS, EFFORTS, LOGIN_MODELS
from ima2_plugins.openai.settings import ApiSettings, OauthSettings

LISTED_SIZES = (
    "1024x1024", "1536x1024", "1024x1536", "1360x1024", "1024x1360", "1824x1024", "1024x1824",
    "2048x2048", "2048x1152", "1152x2048", "3840x2160", "2160x3840",
)  # fmt: skip
QUALITIES = ("low", "medium", "high")
BACKGROUNDS = ("auto", "transparent", "opaque")


def login_capabilities(settings: OauthSettings) -> Capabilities:
    """What a ChatGPT login can do. Size and quality are wishes there: the answer says what was used."""
    return replace(
        _shared(LOGIN_MODELS, settings.default_model, settings.reasoning_effort),
        options=(
            *_options(settings.reasoning_effort, web_search=True),
            _left_out("background", "Background", BACKGROUNDS),
        ),
    )


def api_capabilities(settings: ApiSettings, drawing: str) -> Capabilities:
    """What an API key can do. Prices are by token and stand in the catalogue, not here: no call has a list price."""
    return replace(
        _shared(API_MODELS, settings.default_model, settings.reasoning_effort),
        default_size=settings.image_size,
        qualities=(*QUALITIES, "xhigh", "max"),
        options=(
            *_options(settings.reasoning_effort, web_search=settings.allow_web_search),
            _drawing(drawing),
            _left_out("background", "Background", BACKGROUNDS),
            Option(
                "compression",
                "number",
                "Quality of JPEG or WebP files, 0 to 100",
                min=0,
                max=100,
                step=5,
                integer=True,
                media=("image",),
            ),
            _left_out("inputFidelity", "Closeness to the input pictures", ("auto", "low", "high")),
            _left_out("complexity", "Complexity", ("auto", "low", "medium", "high")),
        ),
    )


def _shared(models: tuple[Model, ...], default: str, effort: str) -> Capabilities:
    return Capabilities(
        models=with_default(models, default),
        default_model=default,
        sizes=Sizes(listed=LISTED_SIZES, free=True, auto=True, max_edge=8192),
        formats=("png", "jpeg", "webp"),
        qualities=QUALITIES,
        moderations=("auto", "low"),
        max_references=5,
        source_is_extra=True,
        max_count=8,
        edit=True,
        mask=True,
        partials=3,
        sequence=8,
        codes={"MODEL_INVALID": "INVALID_IMAGE_MODEL", "MODEL_UNSUPPORTED": "IMAGE_MODEL_UNSUPPORTED"},
        text=True,
        catalogue=CATALOGUE,
    )


def with_default(models: tuple[Model, ...], default: str) -> tuple[Model, ...]:
    """The models with the one that the settings name, should the catalogue not know it."""
    known = any(one.id == default for one in models)
    return models if known else (*models, Model(default, source="named in the settings"))


def _options(effort: str, *, web_search: bool) -> tuple[Option, ...]:
    return (
        Option(
            "reasoningEffort",
            "choice",
            "Reasoning",
            effort,
            EFFORTS,
            "INVALID_REASONING_EFFORT",
            wire="reasoningEffort",
        ),
        Option("webSearch", "flag", "Web search", web_search, wire="webSearchEnabled"),
        Option("mode", "choice", "Prompt", "auto", ("auto", "direct"), wire="mode"),
    )


def _drawing(default: str) -> Option:
    names = tuple(dict.fromkeys([default, *(one.id for one in DRAWING_MODELS)]))
    return Option(
        "drawingModel", "choice", "Model that draws", default, names, "INVALID_DRAWING_MODEL", ("image",),
        wire="drawingModel",
    )  # fmt: skip


def _left_out(name: str, title: str, values: tuple[str, ...]) -> Option:
    """An option whose first value means that the field is left out."""
    return Option(name, "choice", title, values[0], values, media=("image",))
