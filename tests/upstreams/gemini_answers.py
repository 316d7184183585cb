"""What the fake Gemini answers, chosen by words in the prompt: see `tests.upstreams.gemini`."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from tests.upstreams.world import picture

MARKER = "AIza-LEAKED-marker-0123456789"
WRITING = {"gemini-3.5-flash"}


def trouble(code: int, status: str, message: str, *details: dict[str, Any]) -> JSONResponse:
    """An error in Google's shape."""
    error: dict[str, Any] = {"code": code, "message": f"{message} {MARKER}", "status": status}
    if details:
        error["details"] = list(details)
    return JSONResponse({"error": error}, code)


def bad_key() -> JSONResponse:
    """What a wrong key is answered with: a 400, not a 401."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
    }
    return trouble(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", info)


def refusal(words: str) -> Response | None:
    """The error that the words ask for, if they do."""
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"}
    quota = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []}
    answers: dict[str, Callable[[], Response]] = {
        "FAIL400": lambda: trouble(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        "BADKEY": bad_key,
        "FAIL401": lambda: trouble(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
        "FAIL403": lambda: trouble(403, "PERMISSION_DENIED", "The caller does not have permission."),
        "FAIL404": lambda: trouble(404, "NOT_FOUND", "Requested entity was not found."),
        "FAIL429": lambda: trouble(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", quota, retry),
        "FAIL500": lambda: trouble(500, "INTERNAL", "An internal error has occurred."),
        "FAIL503": lambda: trouble(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        "HTML502": lambda: HTMLResponse(f"<h1>Bad gateway</h1>{MARKER}", 502),
        "REDIRECT": lambda: RedirectResponse("/v1beta/models/elsewhere", 307),
    }
    return next((make() for word, make in answers.items() if word in words), None)


def answer(words: str, message: dict[str, Any], model: str) -> Response:
    """A 200, good or odd."""
    usage = {"promptTokenCount": 270, "candidatesTokenCount": 1120, "totalTokenCount": 1390}
    if "NOTJSON" in words:
        return PlainTextResponse(f"{{half an answer {MARKER}")
    if re.search(r"\bBLOCK\b", words):
        return JSONResponse({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage})
    if "NOCANDIDATES" in words:
        return JSONResponse({"candidates": [], "usageMetadata": usage})
    if "ODD" in words:
        return JSONResponse(
            {"candidates": [{"content": {"parts": ["x", {"inlineData": "x"}]}, "finishReason": {}}], "usageMetadata": 3}
        )
    content: dict[str, Any] = {"role": "model", "parts": _parts(words, message, model)}
    reason = re.search(r"REASON_([A-Z_]+)", words)
    finish = reason[1] if reason else "SAFETY" if "SAFETY" in words else "STOP"
    answer: dict[str, Any] = {
        "candidates": [
            {"content": {} if "NOPARTS" in words or finish != "STOP" else content, "finishReason": finish, "index": 0}
        ],
        "modelVersion": model,
        "responseId": f"r{time.monotonic_ns()}",
    }
    if "NOUSAGE" not in words:
        answer["usageMetadata"] = usage
    if "CUT" in words or "HUGE" in words:
        return StreamingResponse(_broken(json.dumps(answer).encode(), "HUGE" in words), media_type="application/json")
    return JSONResponse(answer)


async def _broken(raw: bytes, endless: bool) -> AsyncIterator[bytes]:
    yield raw[: len(raw) // 2]
    while endless:
        await asyncio.sleep(0.001)
        yield b"A" * 1_048_576
    raise ConnectionResetError


def _parts(words: str, message: dict[str, Any], model: str) -> list[dict[str, Any]]:
    if model in WRITING:
        seen = sum("inlineData" in part for content in message["contents"] for part in content["parts"])
        told = message.get("systemInstruction", {}).get("parts", [{}])[0].get("text", "")
        return [{"text": "pondering", "thought": True}, {"text": f"I see {seen} pictures. "}, {"text": f"Told: {told}"}]
    if "EMPTY" in words:
        return [{"text": "I would rather talk about it."}]
    fmt = next((name for name in ("JPEG", "WEBP") if name in words), "PNG")
    parts = [_inline(fmt, 1)]
    if "TWO" in words:
        parts.append(_inline(fmt, 2))
    if "THOUGHT" in words:
        parts[:0] = [{"text": "a sketch", "thought": True}, {**_inline("PNG", 7), "thought": True}]
        parts.append({**_inline("PNG", 8), "thought": True})
    if "WORDS" in words:
        parts.insert(0, {"text": "A red kite over dunes, drawn at dusk."})
    if "NOTPICTURE" in words:
        parts = [{"inlineData": {"mimeType": "image/png", "data": base64.b64encode(b"not a picture").decode()}}]
    if "NOTBASE64" in words:
        parts = [{"inlineData": {"mimeType": "image/png", "data": "*** no base64 ***"}}]
    return parts


def _inline(fmt: str, seed: int) -> dict[str, Any]:
    data = base64.b64encode(picture(fmt=fmt, seed=seed)).decode()
    return {"inlineData": {"mimeType": f"image/{fmt.lower()}", "data": data}, "thoughtSignature": "c2ln"}
