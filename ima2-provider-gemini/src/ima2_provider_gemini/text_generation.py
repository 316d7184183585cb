"""Words from words and pictures, by Gemini's text models."""

from __future__ import annotations

import asyncio
import re

import ima2

from . import answers
from .catalogue import TEXT_MODELS
from .failures import ModelGone, lane_codes
from .messages import text_body
from .service import Service
from .settings import MODEL_NAME

_REPLACEMENTS = {model.id: model.replacement for model in TEXT_MODELS if model.replacement}


async def generate_text(service: Service, request: ima2.TextRequest) -> ima2.TextResult:
    """The answer of the model that is named, or of its replacement where Google does not serve it any more.

    Raises 400 ``INVALID_GEMINI_API_TEXT_MODEL`` for what is no name, ``GEMINI_API_SCHEMA_INVALID`` for a schema that
    cannot be sent, ``MODEL_UNAVAILABLE``.
    """
    settings, prefix = service.settings, service.prefix
    model = request.model or settings.text_model
    if not re.fullmatch(MODEL_NAME, model):
        raise ima2.Ima2Error("INVALID_GEMINI_API_TEXT_MODEL", 400, "That is no name of a Gemini model.")
    if service.is_gone(model):
        model = _REPLACEMENTS.get(model, model)
    try:
        content = await asyncio.to_thread(text_body, request)
    except ValueError:
        raise ima2.Ima2Error("GEMINI_API_SCHEMA_INVALID", 400, "Gemini cannot follow this JSON schema.") from None
    seconds = settings.generation_timeout_ms / 1000
    try:
        answer = await service.generate(model, content, seconds)
    except ModelGone as error:
        service.remember_gone(model)
        if model not in _REPLACEMENTS:
            works = [one.id for one in TEXT_MODELS if one.id != model and one.state == "served"]
            text = f"Google does not serve this text model. Use one of: {', '.join(works)}."
            raise ima2.Ima2Error(
                "MODEL_UNAVAILABLE", 400, text, upstream_code=error.upstream_code, details={"models": works}
            ) from None
        model = _REPLACEMENTS[model]
        answer = await service.generate(model, content, seconds)
    with lane_codes(prefix):
        return ima2.TextResult(answers.text(answer), answers.served_model(answer) or model, answers.usage(answer))
