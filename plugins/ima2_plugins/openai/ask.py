"""Small questions to an upstream, such as lists of models and tokens: a status and a JSON object, within limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ima2 import Ima2Error, read_json_limited

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 4 * 1024 * 1024
"""Far more than any list of models has."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, and the answer's JSON object: empty where it is none, or larger than it may be."""

    status: int
    value: dict[str, Any] = field(repr=False)

    @property
    def good(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


async def ask(client: httpx.AsyncClient, method: str, url: str, seconds: float, **content: Any) -> Reply | None:
    """The reply to one request; ``None`` when none came in time. ``content`` is what httpx takes (headers, json)."""
    import httpx

    try:
        async with asyncio.timeout(seconds), client.stream(method, url, timeout=seconds, **content) as response:
            try:
                value = await read_json_limited(response, MAX_BYTES)
            except (ValueError, Ima2Error):
                value = None
            return Reply(response.status_code, value if isinstance(value, dict) else {})
    except (httpx.HTTPError, TimeoutError):
        return None
