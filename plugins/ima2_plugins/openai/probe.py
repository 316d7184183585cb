"""Asking an upstream whether it is there, in bounded time and without cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ima2 import ProviderStatus

if TYPE_CHECKING:
    import httpx

HEALTH_SECONDS = 0.5
KEPT_SECONDS = 5.0


async def models(
    client: httpx.AsyncClient, url: str, seconds: float, headers: Mapping[str, str] | None = None
) -> ProviderStatus:
    """``ready`` with the ids it lists, ``auth_required`` for an answer that is not 2xx, ``offline`` for none."""
    import httpx

    try:
        async with asyncio.timeout(seconds):
            response = await client.get(url, headers=headers, timeout=seconds)
    except (httpx.HTTPError, TimeoutError):
        return ProviderStatus("offline", reason="No answer came in time.")
    if not response.is_success:
        return ProviderStatus("auth_required", reason=f"The list of models was answered with {response.status_code}.")
    return ProviderStatus("ready", _ids(_json(response.content)))


def _ids(value: Any) -> tuple[str, ...]:
    listed = value.get("data") if isinstance(value, dict) else None
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return tuple(str(row["id"]) for row in rows if row.get("id"))


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


class Proxy:
    """A local ``openai-oauth`` proxy that somebody else runs: whether it is there, asked at most every few seconds."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._answer = False
        self._asked = float("-inf")

    @property
    def seen(self) -> bool:
        """Whether it was there when it was last asked."""
        return self._answer

    async def listens(self) -> bool:
        """Whether anything is at the port. Quicker than a request, and needs no HTTP client."""
        host, _, port = self.base.removeprefix("http://").partition(":")
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                _, writer = await asyncio.open_connection(host, int(port))
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    async def answers(self, client: httpx.AsyncClient) -> bool:
        """Whether its health route says so. Another program at the port does not count."""
        import httpx

        if time.monotonic() - self._asked < KEPT_SECONDS:
            return self._answer
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                response = await client.get(f"{self.base}/health", timeout=HEALTH_SECONDS)
            value = _json(response.content) if response.is_success else None
        except (httpx.HTTPError, TimeoutError):
            value = None
        self._answer = isinstance(value, dict) and value.get("ok") is True
        self._asked = time.monotonic()
        return self._answer
