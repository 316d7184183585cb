"""``generateContent``: the body that is sent.

Source: Gemini API reference, method ``models.generateContent`` and type ``GenerationConfig``; the same fields are
valid on Vertex AI.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import ima2

from .schemas import response_schema
from .sizes import ImageConfig

PICTURES = ("image/png", "image/jpeg", "image/webp")
_ROLES = {"user": "user", "assistant": "model"}


def picture_body(prompt: str, pictures: Sequence[ima2.Source], image: ImageConfig, thinking: str = "") -> bytes:
    """The JSON text that asks for pictures: inputs in their order, then the words.

    Raises 400 ``GEMINI_API_LINK_UNSUPPORTED`` for a picture that is only a link, ``GEMINI_API_REF_UNSUPPORTED``
    for what is no PNG, JPEG or WebP.
    """
    config: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
    if image.ratio:
        config["imageConfig"] = {"aspectRatio": image.ratio, "imageSize": image.size}
    if thinking:
        config["thinkingConfig"] = {"thinkingLevel": thinking.upper()}
    return json.dumps({"contents": [_turn("user", prompt, pictures)], "generationConfig": config}).encode()


def text_body(request: ima2.TextRequest) -> bytes:
    """The JSON text that asks for words: earlier turns, then pictures and the prompt. Raises as `picture_body`."""
    turns = [_turn(_ROLES[one.role], one.text) for one in request.messages]
    message: dict[str, Any] = {"contents": [*turns, _turn("user", request.prompt, request.pictures)]}
    if request.system:
        message["systemInstruction"] = {"parts": [{"text": request.system}]}
    if request.schema is not None:
        schema = response_schema(request.schema)
        message["generationConfig"] = {"responseMimeType": "application/json", "responseSchema": schema}
    return json.dumps(message).encode()


def _turn(role: str, text: str, pictures: Sequence[ima2.Source] = ()) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"inlineData": _inline(one)} for one in pictures]
    return {"role": role, "parts": [*parts, {"text": text}]}


def _inline(source: ima2.Source) -> dict[str, str]:
    if isinstance(source, ima2.Link):
        raise ima2.Ima2Error("GEMINI_API_LINK_UNSUPPORTED", 400, "Gemini takes pictures themselves, not links to them.")
    media_type = ima2.media_type_of(source.data)
    if media_type not in PICTURES:
        raise ima2.Ima2Error("GEMINI_API_REF_UNSUPPORTED", 400, "A picture for Gemini must be PNG, JPEG or WebP.")
    return {"mimeType": media_type, "data": base64.b64encode(source.data).decode("ascii")}
