"""What the fake Gemini answers, chosen by words in the prompt: see `tests.upstreams.gemini`."""

from __future__ import annotations

import asyncio
import base64
import gzip
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
WRITING = {"gemini-3.5-flash", "gemini-3.6-flash"}
EDGES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
TOKENS = {"512": 747, "1K": 1120, "2K": 1680, "4K": 2520}
"""Image tokens of a picture by its size."""


def trouble(code: int, status: str, message: str, *details: dict[str, Any], **headers: str) -> JSONResponse:
    """An error in Google's shape."""
    return JSONResponse(error_body(code, status, message, *details), code, headers)


def error_body(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    """The body of an error, which some gateways send with a status of 200."""
    error: dict[str, Any] = {"code": code, "message": f"{message} {MARKER}", "status": status}
    if details:
        error["details"] = list(details)
    return {"error": error}


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
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))
    exhausted = "You exceeded your current quota."
    answers: dict[str, Callable[[], Response]] = {
        "FAIL400": lambda: trouble(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        "BADKEY": bad_key,
        "LOCATION": lambda: trouble(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        "FAIL401": lambda: trouble(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
        "FAIL403": lambda: trouble(403, "PERMISSION_DENIED", "The caller does not have permission."),
        "FAIL404": lambda: trouble(404, "NOT_FOUND", "Requested entity was not found."),
        "DATE429": lambda: trouble(429, "RESOURCE_EXHAUSTED", exhausted, **{"retry-after": date}),
        "FAIL429": lambda: trouble(429, "RESOURCE_EXHAUSTED", exhausted, quota, retry),
        "QUOTA200": lambda: JSONResponse(error_body(429, "RESOURCE_EXHAUSTED", exhausted, retry)),
        "FAIL500": lambda: trouble(500, "INTERNAL", "An internal error has occurred."),
        "FAIL503": lambda: trouble(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        "HTML502": lambda: HTMLResponse(f"<h1>Bad gateway</h1>{MARKER}", 502),
        "REDIRECT": lambda: RedirectResponse("/v1beta/models/elsewhere", 307),
        "BOMB": lambda: Response(_bomb(), headers={"content-encoding": "gzip", "content-type": "application/json"}),
    }
    return next((make() for word, make in answers.items() if word in words), None)


def answer(words: str, message: dict[str, Any], model: str, base_url: str) -> Response:
    """A 200, good or odd."""
    drawn = not re.search(r"\bBLOCK", words)
    usage = _usage(words, message, drawn)
    if "NOTJSON" in words:
        return PlainTextResponse(f"{{half an answer {MARKER}")
    if re.search(r"\bBLOCK\b", words):
        return JSONResponse({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage})
    if blocked := re.search(r"BLOCK_([A-Z_]+)", words):
        return JSONResponse({"promptFeedback": {"blockReason": blocked[1]}, "usageMetadata": usage})
    if "NOCANDIDATES" in words:
        return JSONResponse({"candidates": [], "usageMetadata": usage})
    if "ODD" in words:
        return JSONResponse(
            {"candidates": [{"content": {"parts": ["x", {"inlineData": "x"}]}, "finishReason": {}}], "usageMetadata": 3}
        )
    value: dict[str, Any] = {
        "candidates": _candidates(words, message, model, base_url),
        "modelVersion": "gemini-3.6-flash" if "ROUTED" in words else model,
        "responseId": f"r{time.monotonic_ns()}",
    }
    if "NOUSAGE" not in words:
        value["usageMetadata"] = usage
    if "SNAKE" in words:
        value = _snake(value)
    if "CUT" in words or "HUGE" in words:
        return StreamingResponse(_broken(json.dumps(value).encode(), "HUGE" in words), media_type="application/json")
    return JSONResponse(value)


def _candidates(words: str, message: dict[str, Any], model: str, base_url: str) -> list[dict[str, Any]]:
    reason = re.search(r"REASON_([A-Z_]+)", words)
    finish = reason[1] if reason else "SAFETY" if "SAFETY" in words else "STOP"
    content: dict[str, Any] = {"role": "model", "parts": _parts(words, message, model, base_url)}
    first = {"content": {} if "NOPARTS" in words or finish != "STOP" else content, "finishReason": finish, "index": 0}
    if "SECOND" in words:
        return [{"finishReason": "NO_IMAGE", "index": 0}, {**first, "index": 1}]
    if "CANDIDATES" in words:
        other = {"role": "model", "parts": [_inline(message, "PNG", 5)]}
        return [first, {"content": other, "finishReason": "STOP", "index": 1}]
    return [first]


def _usage(words: str, message: dict[str, Any], drawn: bool) -> dict[str, Any]:
    if not drawn or "UNBILLED" in words:
        return {"promptTokenCount": 270, "totalTokenCount": 270}
    image = message.get("generationConfig", {}).get("imageConfig", {}).get("imageSize", "1K")
    usage: dict[str, Any] = {"promptTokenCount": 270, "candidatesTokenCount": 1120, "totalTokenCount": 1390}
    if "THINKS" in words:
        usage |= {"thoughtsTokenCount": 320, "totalTokenCount": 1710}
    if "DETAILS" in words:
        usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": TOKENS[image]}]
    return usage


async def _broken(raw: bytes, endless: bool) -> AsyncIterator[bytes]:
    yield raw[: len(raw) // 2]
    while endless:
        await asyncio.sleep(0.001)
        yield b"A" * 1_048_576
    raise ConnectionResetError


def _bomb() -> bytes:
    """A few kilobytes that unfold into many megabytes."""
    return gzip.compress(b'{"candidates": "' + b"A" * 20_000_000 + b'"}')


def _parts(words: str, message: dict[str, Any], model: str, base_url: str) -> list[dict[str, Any]]:
    if model in WRITING:
        return _written(message)
    if "EMPTY" in words:
        return [{"text": "I would rather talk about it."}]
    fmt = next((name for name in ("JPEG", "WEBP") if name in words), "PNG")
    parts = [_wrapped(_inline(message, fmt, 1, small="SMALL" in words), words)]
    if "TWO" in words:
        parts.append(_inline(message, fmt, 2))
    if "SPOKEN" in words:
        parts = [{"text": "One."}, parts[0], {"text": "Two."}, *parts[1:]]
    if "THOUGHT" in words:
        parts[:0] = [{"text": "a sketch", "thought": True}, {**_inline(message, "PNG", 7), "thought": True}]
        parts.append({**_inline(message, "PNG", 8), "thought": True})
    if "WORDS" in words:
        parts.insert(0, {"text": "A red kite over dunes, drawn at dusk."})
    if "NOTPICTURE" in words:
        parts = [{"inlineData": {"mimeType": "image/png", "data": base64.b64encode(b"not a picture").decode()}}]
    if "NOTBASE64" in words:
        parts = [{"inlineData": {"mimeType": "image/png", "data": "*** no base64 ***"}}]
    if "FILE" in words:
        places = {
            "ELSEWHERE": "gs://somewhere/kite.png",
            "PRIVATE": "https://127.0.0.1:9/kite.png",
            "GATEWAY": f"{base_url}/gateway/kite.png",
        }
        uri = next((uri for word, uri in places.items() if word in words), f"{base_url}/v1beta/files/kite")
        parts = [{"fileData": {"mimeType": "image/png", "fileUri": uri}}]
    return parts


def _written(message: dict[str, Any]) -> list[dict[str, Any]]:
    contents = message["contents"]
    seen = sum("inlineData" in part for content in contents for part in content["parts"])
    told = message.get("systemInstruction", {}).get("parts", [{}])[0].get("text", "")
    thought = {"text": "pondering", "thought": True}
    schema = message.get("generationConfig", {}).get("responseSchema")
    if schema:
        value = json.dumps({name: f"turn {len(contents)}" for name in schema["properties"]})
        return [thought, {"text": value[:7]}, {"text": value[7:]}]
    return [thought, {"text": f"I see {seen} pictures. "}, {"text": f"Told: {told}"}]


def size_in_pixels(message: dict[str, Any]) -> tuple[int, int]:
    """The size that the models really draw: the same area for every ratio, both edges multiples of 16."""
    image = message.get("generationConfig", {}).get("imageConfig", {})
    across, down = map(int, image.get("aspectRatio", "1:1").split(":"))
    edge = EDGES[image.get("imageSize", "1K")]
    width, height = edge * (across / down) ** 0.5, edge * (down / across) ** 0.5
    return round(width / 16) * 16, round(height / 16) * 16


def _inline(message: dict[str, Any], fmt: str, seed: int, *, small: bool = False) -> dict[str, Any]:
    width, height = (256, 192) if small else size_in_pixels(message)
    data = base64.b64encode(picture(width, height, fmt, seed)).decode()
    return {"inlineData": {"mimeType": f"image/{fmt.lower()}", "data": data}, "thoughtSignature": "c2ln"}


def _wrapped(part: dict[str, Any], words: str) -> dict[str, Any]:
    """The same picture as gateways and other encoders write it."""
    inline = part["inlineData"]
    data = inline["data"]
    if "DATAURL" in words:
        data = f"data:{inline['mimeType']};base64,{data}"
    if "LINES" in words:
        data = "\r\n".join(data[at : at + 76] for at in range(0, len(data), 76))
    if "URLSAFE" in words:
        data = data.replace("+", "-").replace("/", "_").rstrip("=")
    if "HALF" in words:
        data = data[: len(data) // 8 * 4]
    return {**part, "inlineData": {**inline, "data": data}}


def _snake(value: Any) -> Any:
    if isinstance(value, list):
        return [_snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {re.sub(r"([A-Z])", lambda m: f"_{m[1].lower()}", key): _snake(one) for key, one in value.items()}
