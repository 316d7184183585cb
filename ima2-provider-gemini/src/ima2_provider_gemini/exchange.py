"""One request and its whole answer: sent once, bounded in time and size."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    import httpx

MAX_ANSWER = 160 * 1024 * 1024
"""Bytes of an answer that are read, after decompression: several pictures in 4K as base64."""
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
            "GENERATION_TIMEOUT", 504, f"Google did not answer within {seconds:.0f} seconds. {_outlook(method)}"
        ) from None
    except httpx.HTTPError as error:
        raise ima2.Ima2Error(
            "GEMINI_API_NETWORK_FAILED", 502, _network_trouble(error, method), upstream_type=type(error).__name__
        ) from None
    return Reply(reply.status_code, body, reply.headers.get("retry-after", ""))


def _network_trouble(error: httpx.HTTPError, method: str) -> str:
    """A sentence about a connection that failed; one of its own for a certificate that is not trusted."""
    import httpx

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                "The certificate of Google's address is not trusted. Behind a proxy that opens connections,"
                " set SSL_CERT_FILE to its certificate."
            )
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError | httpx.UnsupportedProtocol):
        return "The connection to Google failed. Check the network and try again."
    return f"The connection to Google broke. {_outlook(method)}"


def _outlook(method: str) -> str:
    """What a request that was sent and never answered may have cost."""
    return "The attempt may have been billed all the same." if method == "POST" else "Try again later."


async def _whole(reply: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in reply.aiter_bytes(1024 * 1024):
        body += piece
        if len(body) > MAX_ANSWER:
            raise ima2.Ima2Error("GEMINI_API_UPSTREAM_ERROR", 502, "Google's answer is larger than any picture can be.")
    return bytes(body)
