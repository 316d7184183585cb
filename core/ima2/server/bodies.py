"""Reading request bodies within their limits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from ima2.errors import Ima2Error

SMALL = 1_048_576
BIG = 262_144
"""Bytes above which a body is parsed off the event loop."""


def too_large(limit: int) -> Ima2Error:
    """413 ``PAYLOAD_TOO_LARGE``."""
    return Ima2Error("PAYLOAD_TOO_LARGE", 413, f"The request body is larger than {limit} bytes.")


async def read_body(request: Request, limit: int = SMALL) -> bytes:
    """The raw body, or 413 as soon as it is known to be too large. A body cut short is 400 ``BODY_INCOMPLETE``."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    pieces, total = [], 0
    try:
        async for piece in request.stream():
            total += len(piece)
            if total > limit:
                raise too_large(limit)
            pieces.append(piece)
    except ClientDisconnect:
        raise Ima2Error("BODY_INCOMPLETE", 400, "The request body ended before it was whole.") from None
    return b"".join(pieces)


async def read_json(request: Request, limit: int = SMALL) -> Mapping[str, Any] | None:
    """The body as a JSON object; ``None`` when there is none or it is of another content type.

    400 ``INVALID_JSON`` for malformed text, 400 ``INVALID_BODY`` for JSON that is no object.
    """
    raw = await read_body(request, limit)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not raw or kind != "application/json":
        return None
    try:
        value = await asyncio.to_thread(orjson.loads, raw) if len(raw) > BIG else orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Ima2Error("INVALID_JSON", 400, "The request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Ima2Error("INVALID_BODY", 400, "The request body must be a JSON object.")
    return value
