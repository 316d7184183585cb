"""Words by ``POST /chat/completions`` (``chat.completions`` of openai 3.57.0)."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import orjson

from ima2 import Ima2Error, Json, Picture, Source, TextRequest, TextResult
from ima2_plugins.openai_compatible import failures

CHAT = "/chat/completions"


def body(request: TextRequest, model: str) -> dict[str, Any]:
    """One call: the system's words, the earlier turns, then the question with its pictures."""
    system = [{"role": "system", "content": request.system}] if request.system else []
    turns = [{"role": one.role, "content": one.text} for one in request.messages]
    question = {"role": "user", "content": _content(request.prompt, request.pictures)}
    asked: dict[str, Any] = {"messages": [*system, *turns, question]}
    if model:
        asked["model"] = model
    if request.schema is not None:
        form = {"name": "answer", "schema": dict(request.schema), "strict": True}
        asked["response_format"] = {"type": "json_schema", "json_schema": form}
    return asked


def result(value: dict[str, Any], request: TextRequest, model: str, title: str) -> TextResult:
    """The words of an answer. Raises 422 ``SAFETY_REFUSAL`` for a refusal, ``TEXT_INCOMPLETE`` for words that end
    early, ``TEXT_EMPTY`` for none, 502 ``TEXT_NOT_JSON`` for words that are not the document that was asked for."""
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise failures.unreadable(title)
    ended = choice.get("finish_reason")
    if message.get("refusal") or ended == "content_filter":
        raise failures.refusal(title)
    words = _words(message.get("content"))
    if ended == "length":
        raise _failed("TEXT_INCOMPLETE", 422, f"{title} ran out of room before its answer was whole.")
    if not words.strip():
        raise _failed("TEXT_EMPTY", 422, f"{title} answered without words.")
    served = value.get("model")
    return TextResult(
        words if request.schema is None else _document(words, title),
        served if isinstance(served, str) and served else model,
        usage(value),
    )


def usage(value: dict[str, Any]) -> dict[str, Json] | None:
    """What an answer says that it took; ``None`` where it says nothing."""
    found = value.get("usage")
    return dict(found) if isinstance(found, dict) and found else None


def _document(words: str, title: str) -> str:
    """Words that are JSON, without the fence that some models put around it."""
    text = words.strip()
    if text.startswith("```"):
        text = text.strip("`").removeprefix("json").strip()
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _failed("TEXT_NOT_JSON", 502, f"{title} did not answer with the JSON document asked for.") from None
    return text


def _content(words: str, pictures: Iterable[Source]) -> str | list[dict[str, Any]]:
    images = [{"type": "image_url", "image_url": {"url": _url(one)}} for one in pictures]
    return [{"type": "text", "text": words}, *images] if images else words


def _url(source: Source) -> str:
    if not isinstance(source, Picture):
        return source.url
    return f"data:{source.media_type};base64,{base64.b64encode(source.data).decode('ascii')}"


def _words(content: Any) -> str:
    """A content as text: it may be text, or parts that hold text."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""


def _failed(code: str, status: int, text: str) -> Ima2Error:
    return Ima2Error(code, status, text, details={"failureKind": "failed", "retry": False})
