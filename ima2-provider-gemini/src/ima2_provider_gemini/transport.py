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
"""Bytes of an answer that are read, after decompression: several pictures in 4K as base64."""
CONNECT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status. ``retry_after`` is the header's value, if any."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str = ""


async def send(
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
            body = await ima2.read_limited(reply, MAX_ANSWER)
    except TimeoutError:
        text = f"Google did not answer within {seconds:.0f} seconds.{_outlook(method, 'timeout')}"
        raise ima2.Ima2Error("GENERATION_TIMEOUT", 504, text) from None
    except httpx.HTTPError as error:
        raise _network_failure(error, method) from None
    except ima2.Ima2Error:
        text = f"Google's answer is larger than any picture can be.{_outlook(method, 'broken')}"
        raise ima2.Ima2Error("GEMINI_API_UPSTREAM_ERROR", 502, text, upstream_type="RESPONSE_TOO_LARGE") from None
    return Reply(reply.status_code, body, reply.headers.get("retry-after", ""))


def _network_failure(error: httpx.HTTPError, method: str) -> ima2.Ima2Error:
    known = ima2.network_error(error, service="Google")
    return ima2.Ima2Error(
        "GEMINI_API_NETWORK_FAILED",
        502,
        known.text + _outlook(method, known.details["networkReason"]),
        upstream_type=type(error).__name__,
        details=known.details,
    )


def _outlook(method: str, reason: str) -> str:
    """What a request that was sent and not answered may have cost."""
    sent = method == "POST" and reason in ("broken", "timeout", "unreadable")
    return " The attempt may have been billed all the same." if sent else ""
