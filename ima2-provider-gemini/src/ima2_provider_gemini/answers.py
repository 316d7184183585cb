"""``generateContent``: what the answer holds, in camelCase as Google writes it or in snake_case as gateways do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

import ima2

from . import failures
from .settings import MODEL_NAME

_COUNTS = {"promptTokens": "prompt", "candidatesTokens": "candidates", "thoughtsTokens": "thoughts"}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as the answer holds it: base64 text, or the address of a file."""

    data: str = field(default="", repr=False)
    uri: str = field(default="", repr=False)


def parse_answer(raw: bytes) -> dict[str, Any]:
    """The answer as JSON. Raises 502 ``GEMINI_API_NETWORK_FAILED``, or what an error with status 200 says."""
    try:
        answer = orjson.loads(raw)
    except ValueError:
        raise failures.unreadable_answer_error() from None
    if isinstance(answer, list) and len(answer) == 1:  # a stream of one piece
        answer = answer[0]
    if not isinstance(answer, dict):
        raise failures.unreadable_answer_error()
    if isinstance(answer.get("error"), dict) and not answer.get("candidates"):
        raise failures.error_in_answer(answer["error"])
    return answer


def member(value: Any, name: str) -> Any:
    """A field by its camelCase name, or by its snake_case one."""
    if not isinstance(value, dict):
        return None
    return value[name] if name in value else value.get(re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name))


def pictures(answer: dict[str, Any]) -> list[Encoded]:
    """All pictures of all candidates, in their order. What came while the model was thinking does not count.

    Raises 400 ``GEMINI_API_SAFETY_BLOCKED`` or 502 ``GEMINI_API_NO_IMAGE`` when there is none.
    """
    found = [one for part in _parts(answer) if (one := _picture_in(part)) is not None]
    if not found:
        raise missing_result(answer, "GEMINI_API_NO_IMAGE", "image")
    return found


def caption(answer: dict[str, Any]) -> str:
    """The words beside the pictures: what a picture parts stays parted by a line."""
    passages = [""]
    for part in _parts(answer):
        if _picture_in(part) is not None:
            passages.append("")
        elif isinstance(part.get("text"), str):
            passages[-1] += part["text"]
    return "\n".join(one.strip() for one in passages if one.strip())


def text(answer: dict[str, Any]) -> str:
    """The words of the first candidate. Raises 400 ``GEMINI_API_SAFETY_BLOCKED`` or 502 ``GEMINI_API_NO_TEXT``."""
    first = next(_candidates(answer), {})
    words = "".join(part["text"] for part in _content_parts(first) if isinstance(part.get("text"), str)).strip()
    if not words:
        raise missing_result(answer, "GEMINI_API_NO_TEXT", "text")
    return words


def usage(answer: dict[str, Any]) -> dict[str, int] | None:
    """Token counts under the names clients know; ``thoughtsTokens``, billed as output, where the model thought."""
    counts = member(answer, "usageMetadata")
    found = {name: member(counts, f"{kind}TokenCount") for name, kind in (*_COUNTS.items(), ("totalTokens", "total"))}
    return {name: value for name, value in found.items() if isinstance(value, int)} or None


def usage_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    """Google's own count, for what `usage` leaves out."""
    counts = member(answer, "usageMetadata")
    return counts if isinstance(counts, dict) else {}


def served_model(answer: dict[str, Any]) -> str:
    """Google's name of the model that answered, empty when it does not say."""
    name = member(answer, "modelVersion")
    short = name.rsplit("/", 1)[-1] if isinstance(name, str) else ""
    return short if re.fullmatch(MODEL_NAME, short) else ""


def missing_result(answer: dict[str, Any], code: str, what: str) -> ima2.Ima2Error:
    """The error of an answer that does not hold what was asked for."""
    drawn = bool(member(usage_metadata(answer), "candidatesTokenCount"))
    reason = member(member(answer, "promptFeedback"), "blockReason")
    if reason:
        return failures.no_result_error(code, what, reason, by_prompt=True, billed=drawn)
    reasons = [member(one, "finishReason") for one in _candidates(answer)]
    return failures.no_result_error(code, what, next(iter(reasons), None), by_prompt=False, billed=drawn)


def _candidates(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    candidates = answer.get("candidates")
    for one in candidates if isinstance(candidates, list) else []:
        if isinstance(one, dict):
            yield one


def _content_parts(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    """A candidate's parts that are no thoughts."""
    parts = member(candidate.get("content"), "parts")
    return [one for one in parts if isinstance(one, dict) and not one.get("thought")] if isinstance(parts, list) else []


def _parts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for candidate in _candidates(answer) for part in _content_parts(candidate)]


def _picture_in(part: dict[str, Any]) -> Encoded | None:
    """The picture in a part, if it is one."""
    inline, file = member(part, "inlineData"), member(part, "fileData")
    if isinstance(inline, dict):
        return Encoded(data=str(inline.get("data") or ""))
    uri = member(file, "fileUri")
    return Encoded(uri=uri) if isinstance(uri, str) and uri else None
