"""Reading an upstream's answer within a limit, counted in decompressed bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import orjson

from ima2.errors import Ima2Error
from ima2.models import Json

if TYPE_CHECKING:
    import httpx

LARGE = 262_144
"""Bytes above which JSON is parsed off the event loop."""


def too_large(limit: int) -> Ima2Error:
    """502 ``RESPONSE_TOO_LARGE``."""
    return Ima2Error(
        "RESPONSE_TOO_LARGE", 502, f"The upstream's answer is larger than {_size(limit)}; it was not read."
    )


async def stream_limited(response: httpx.Response, max_bytes: int) -> AsyncIterator[bytes]:
    """The body of a streamed response piece by piece, decompressed; 502 ``RESPONSE_TOO_LARGE`` beyond ``max_bytes``."""
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large(max_bytes)
    total = 0
    async for piece in response.aiter_bytes():
        total += len(piece)
        if total > max_bytes:
            raise too_large(max_bytes)
        yield piece


async def read_limited(response: httpx.Response, max_bytes: int) -> bytes:
    """The whole body of a streamed response (``client.stream`` or ``send(..., stream=True)``), at most ``max_bytes``.

    Raises 502 ``RESPONSE_TOO_LARGE``, and what httpx raises when the connection breaks.
    """
    pieces = [piece async for piece in stream_limited(response, max_bytes)]
    return await asyncio.to_thread(b"".join, pieces) if len(pieces) > 256 else b"".join(pieces)


async def read_json_limited(response: httpx.Response, max_bytes: int) -> Json:
    """The JSON body of a streamed response; large ones are parsed off the event loop.

    Raises as `read_limited`, and ``ValueError`` for what is no JSON.
    """
    raw = await read_limited(response, max_bytes)
    return await asyncio.to_thread(orjson.loads, raw) if len(raw) > LARGE else orjson.loads(raw)


def _size(limit: int) -> str:
    return f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit} bytes"
