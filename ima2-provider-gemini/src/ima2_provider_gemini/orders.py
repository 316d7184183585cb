"""A request made ready: which of Google's models is sent what. What is refused here is refused before it costs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import ima2

from .catalogue import COMMON_RATIOS, ENTRIES, THINKING_DEFAULT, Entry
from .messages import picture_body
from .settings import MODEL_NAME, GeminiSettings
from .sizes import Shape, shape

_EDIT = "Edit the first picture as follows and leave everything else in it as it is: "
_STORY = "Draw {count} separate pictures, one after the other, that tell one story: "


@dataclass(frozen=True, slots=True)
class Order:
    """What every call of a request sends. ``upstream`` is Google's name of the model, ``pictures`` how many one call is
    asked for, ``inputs`` how many go in."""

    prompt: str = field(repr=False)
    entry: Entry
    upstream: str
    shape: Shape
    content: bytes = field(repr=False)
    pictures: int = 1
    inputs: int = 0


def entry_of(request: ima2.ImageRequest) -> Entry:
    """The model that a request names; one that nobody declared only with ``any_model``."""
    name = request.model or next(iter(ENTRIES))
    if name in ENTRIES:
        return ENTRIES[name]
    if request.any_model and re.fullmatch(MODEL_NAME, name):
        return Entry(name, name, name, ratios=COMMON_RATIOS, max_references=14)
    raise ima2.Ima2Error(
        "INVALID_GEMINI_API_IMAGE_MODEL", 400, f"The Gemini model must be one of: {', '.join(ENTRIES)}."
    )


def upstream_name(entry: Entry, settings: GeminiSettings) -> str:
    """Google's name of a model, as the settings have it."""
    named = {"nano-banana-2": settings.nano_banana_2, "nano-banana-pro": settings.nano_banana_pro}
    return named.get(entry.id, entry.upstream)


def order_of(request: ima2.ImageRequest, entry: Entry, settings: GeminiSettings) -> Order:
    """Check a request for a model and write it down. Raises 400 with the code of what the model does not take."""
    if request.mask is not None:
        raise ima2.Ima2Error("GEMINI_API_MASK_UNSUPPORTED", 400, "Gemini edits whole pictures and takes no mask.")
    pictures = [*([request.source] if request.source else []), *request.references]
    if len(pictures) > entry.max_references:
        text = f"{entry.title} takes at most {entry.max_references} pictures a request."
        raise ima2.Ima2Error("GROK_REF_TOO_MANY", 400, text)
    form = shape(request.size, entry)
    prompt = f"{_EDIT}{request.prompt}" if request.source else request.prompt
    if request.sequence > 1:
        prompt = _STORY.format(count=request.sequence) + prompt
    content = picture_body(prompt, pictures, form, _thinking(request, entry))
    upstream = upstream_name(entry, settings)
    return Order(request.prompt, entry, upstream, form, content, max(1, request.sequence), len(pictures))


def _thinking(request: ima2.ImageRequest, entry: Entry) -> str:
    """The thinking level to send, empty to leave it to the model."""
    level = request.options.get("thinkingLevel") or THINKING_DEFAULT
    if level == THINKING_DEFAULT:
        return ""
    if level not in entry.thinking:
        able = ", ".join(one.id for one in ENTRIES.values() if level in one.thinking) or "no model here"
        text = f"{entry.title} takes no such thinking level; {able} does."
        raise ima2.Ima2Error("GEMINI_API_THINKING_UNSUPPORTED", 400, text)
    return str(level)
