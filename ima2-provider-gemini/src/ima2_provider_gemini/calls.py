"""A request made ready: which of Google's models is sent what. What is refused here is refused before it costs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import ima2

from .catalogue import COMMON_RATIOS, IMAGE_MODELS, THINKING_DEFAULT, ImageModel
from .messages import picture_body
from .settings import MODEL_NAME, GeminiSettings
from .sizes import ImageConfig, image_config

_EDIT = "Edit the first picture as follows and leave everything else in it as it is: "
_STORY = "Draw {count} separate pictures, one after the other, that tell one story: "


@dataclass(frozen=True, slots=True)
class Call:
    """What every call of a request sends. ``upstream`` is Google's name of the model, ``pictures`` how many one call is
    asked for, ``inputs`` how many go in."""

    prompt: str = field(repr=False)
    model: ImageModel
    upstream: str
    config: ImageConfig
    content: bytes = field(repr=False)
    pictures: int = 1
    inputs: int = 0


def model_of(request: ima2.ImageRequest) -> ImageModel:
    """The model that a request names; one that nobody declared only with ``any_model``."""
    name = request.model or next(iter(IMAGE_MODELS))
    if name in IMAGE_MODELS:
        return IMAGE_MODELS[name]
    if request.any_model and re.fullmatch(MODEL_NAME, name):
        return ImageModel(name, name, name, ratios=COMMON_RATIOS, max_references=14)
    raise ima2.Ima2Error(
        "INVALID_GEMINI_API_IMAGE_MODEL", 400, f"The Gemini model must be one of: {', '.join(IMAGE_MODELS)}."
    )


def upstream_name(model: ImageModel, settings: GeminiSettings) -> str:
    """Google's name of a model, as the settings have it."""
    named = {"nano-banana-2": settings.nano_banana_2, "nano-banana-pro": settings.nano_banana_pro}
    return named.get(model.id, model.upstream)


def prepare_call(request: ima2.ImageRequest, model: ImageModel, settings: GeminiSettings) -> Call:
    """Check a request for a model and write it down. Raises 400 with the code of what the model does not take."""
    if request.mask is not None:
        raise ima2.Ima2Error("GEMINI_API_MASK_UNSUPPORTED", 400, "Gemini edits whole pictures and takes no mask.")
    pictures = [*([request.source] if request.source else []), *request.references]
    if len(pictures) > model.max_references:
        text = f"{model.title} takes at most {model.max_references} pictures a request."
        raise ima2.Ima2Error("GROK_REF_TOO_MANY", 400, text)
    form = image_config(request.size, model)
    prompt = f"{_EDIT}{request.prompt}" if request.source else request.prompt
    if request.sequence > 1:
        prompt = _STORY.format(count=request.sequence) + prompt
    content = picture_body(prompt, pictures, form, _thinking(request, model))
    upstream = upstream_name(model, settings)
    return Call(request.prompt, model, upstream, form, content, max(1, request.sequence), len(pictures))


def _thinking(request: ima2.ImageRequest, model: ImageModel) -> str:
    """The thinking level to send, empty to leave it to the model."""
    level = request.options.get("thinkingLevel") or THINKING_DEFAULT
    if level == THINKING_DEFAULT:
        return ""
    if level not in model.thinking:
        able = ", ".join(one.id for one in IMAGE_MODELS.values() if level in one.thinking) or "no model here"
        text = f"{model.title} takes no such thinking level; {able} does."
        raise ima2.Ima2Error("GEMINI_API_THINKING_UNSUPPORTED", 400, text)
    return str(level)
