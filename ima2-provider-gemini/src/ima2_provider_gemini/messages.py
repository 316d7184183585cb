"""``generateContent``: the body that is sent and the parts of the answer.

Source: Gemini API reference, method ``models.generateContent`` and type ``GenerationConfig``; the same fields are
valid on Vertex AI.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import ima2

from .failures import SAFETY_REASONS, blocked, empty, garbled
from .sizes import Shape

_PICTURES = ("image/png", "image/jpeg", "image/webp")


def body(prompt: str, pictures: Sequence[ima2.Source], *, system: str = "", shape: Shape | None = None) -> bytes:
    """The JSON text of a request: pictures in their order, then the words. With a ``shape`` a picture is asked for.

    Raises 400 ``GEMINI_API_LINK_UNSUPPORTED`` for a picture that is only a link, ``GEMINI_API_REF_UNSUPPORTED``
    for what is no PNG, JPEG or WebP.
    """
    parts: list[dict[str, Any]] = [{"inlineData": _inline(one)} for one in pictures]
    message: dict[str, Any] = {"contents": [{"role": "user", "parts": [*parts, {"text": prompt}]}]}
    if system:
        message["systemInstruction"] = {"parts": [{"text": system}]}
    if shape is not None:
        config: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
        if shape.ratio:
            config["imageConfig"] = {"aspectRatio": shape.ratio, "imageSize": shape.size}
        message["generationConfig"] = config
    return json.dumps(message).encode()


def _inline(source: ima2.Source) -> dict[str, str]:
    if isinstance(source, ima2.Link):
        raise ima2.Ima2Error("GEMINI_API_LINK_UNSUPPORTED", 400, "Gemini takes pictures themselves, not links to them.")
    media_type = ima2.media_type_of(source.data)
    if media_type not in _PICTURES:
        raise ima2.Ima2Error("GEMINI_API_REF_UNSUPPORTED", 400, "A picture for Gemini must be PNG, JPEG or WebP.")
    return {"mimeType": media_type, "data": base64.b64encode(source.data).decode("ascii")}


def parsed(raw: bytes) -> dict[str, Any]:
    """The answer as JSON. Raises 502 ``GEMINI_API_NETWORK_FAILED``."""
    try:
        answer = json.loads(raw)
    except ValueError:
        raise garbled() from None
    if not isinstance(answer, dict):
        raise garbled()
    return answer


def picture(answer: dict[str, Any]) -> tuple[ima2.Picture, str]:
    """The last picture of the first candidate, and its words. What came while the model was thinking does not count.

    Raises 400 ``GEMINI_API_SAFETY_BLOCKED`` or 502 ``GEMINI_API_NO_IMAGE``.
    """
    parts = _parts(answer)
    found = [part["inlineData"].get("data") for part in parts if isinstance(part.get("inlineData"), dict)]
    if not found:
        raise _nothing(answer, "GEMINI_API_NO_IMAGE", "image")
    try:
        data = base64.b64decode(found[-1], validate=True)
    except (ValueError, TypeError):
        data = b""
    media_type = ima2.media_type_of(data)
    if media_type not in _PICTURES:
        raise empty("GEMINI_API_NO_IMAGE", "image that can be read", _finish_reason(answer))
    return ima2.Picture(data, media_type), words_of(parts)


def text(answer: dict[str, Any]) -> str:
    """The words of the first candidate. Raises 400 ``GEMINI_API_SAFETY_BLOCKED`` or 502 ``GEMINI_API_NO_TEXT``."""
    words = words_of(_parts(answer))
    if not words:
        raise _nothing(answer, "GEMINI_API_NO_TEXT", "text")
    return words


def words_of(parts: list[dict[str, Any]]) -> str:
    """All text of some parts, joined."""
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str)).strip()


def usage(answer: dict[str, Any]) -> dict[str, int] | None:
    """Token counts under the names clients know: ``promptTokens``, ``candidatesTokens``, ``totalTokens``."""
    counts = answer.get("usageMetadata")
    if not isinstance(counts, dict):
        return None
    return {
        name: counts[f"{name[:-6]}TokenCount"]
        for name in ("promptTokens", "candidatesTokens", "totalTokens")
        if isinstance(counts.get(f"{name[:-6]}TokenCount"), int)
    } or None


def _candidate(answer: dict[str, Any]) -> dict[str, Any]:
    candidates = answer.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    return first if isinstance(first, dict) else {}


def _parts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    content = _candidate(answer).get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return [one for one in parts if isinstance(one, dict) and not one.get("thought")] if isinstance(parts, list) else []


def _finish_reason(answer: dict[str, Any]) -> object:
    return _candidate(answer).get("finishReason")


def _nothing(answer: dict[str, Any], code: str, what: str) -> ima2.Ima2Error:
    feedback = answer.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    if reason:
        return blocked(reason, by_prompt=True)
    reason = _finish_reason(answer)
    withheld = isinstance(reason, str) and reason in SAFETY_REASONS
    return blocked(reason, by_prompt=False) if withheld else empty(code, what, reason)
