"""One request and its whole answer: sent once, bounded in time and size."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    import httpx

MAX_ANSWER = 160 * 1024 * 1024
"""Bytes of an answer that are read: several pictures in 4K as base64."""
CONNECT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status. ``retry_after`` is the header's value, if any."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str = ""


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    seconds: float,
) -> Reply:
    """Send a request and read what comes.

    Raises 504 ``GENERATION_TIMEOUT`` when the whole takes longer than ``seconds``, 502
    ``GEMINI_API_NETWORK_FAILED`` when the connection fails or breaks, 502 ``GEMINI_API_UPSTREAM_ERROR`` for
    an answer beyond `MAX_ANSWER`. The library's own words are dropped: they may hold an address or a header.
    """
    import httpx

    limits = httpx.Timeout(None, connect=CONNECT_SECONDS)
    try:
        async with (
            asyncio.timeout(seconds),
            client.stream(method, url, headers=headers, content=content, timeout=limits) as reply,
        ):
            body = await _whole(reply)
    except TimeoutError:
        raise ima2.Ima2Error(
            "GENERATION_TIMEOUT", 504, f"Google did not answer within {seconds:.0f} seconds. Try again later."
        ) from None
    except httpx.HTTPError as error:
        raise ima2.Ima2Error(
            "GEMINI_API_NETWORK_FAILED",
            502,
            "The connection to Google failed. Check the network and try again.",
            upstream_type=type(error).__name__,
        ) from None
    return Reply(reply.status_code, body, reply.headers.get("retry-after", ""))


async def _whole(reply: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in reply.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER:
            raise ima2.Ima2Error("GEMINI_API_UPSTREAM_ERROR", 502, "Google's answer is larger than any picture can be.")
    return bytes(body)
