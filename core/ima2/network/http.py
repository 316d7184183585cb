"""The one HTTP client of a process, made when first asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ima2.version import VERSION

if TYPE_CHECKING:
    import httpx

USER_AGENT = f"ima2/{VERSION}"


class Http:
    """Hands out one shared client: pooled connections, no redirects, our own name.

    Proxies of the environment are used for hosts elsewhere and never for this machine.
    """

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    def __call__(self) -> httpx.AsyncClient:
        """The client."""
        if self._client is None:
            self._client = self._make()
        return self._client

    async def close(self) -> None:
        """Close it, if it was ever made."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    @staticmethod
    def _make() -> httpx.AsyncClient:
        import httpx

        limits = httpx.Limits(max_connections=200, max_keepalive_connections=20)
        timeout = httpx.Timeout(60.0, connect=10.0)
        proxies = {f"{scheme}://": _proxy(scheme) for scheme in ("http", "https")}
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {
            scheme: httpx.AsyncHTTPTransport(proxy=proxy, limits=limits) for scheme, proxy in proxies.items() if proxy
        }
        if mounts:
            mounts.update({f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")})
        return httpx.AsyncClient(
            headers={"user-agent": USER_AGENT},
            follow_redirects=False,
            trust_env=False,
            limits=limits,
            timeout=timeout,
            mounts=mounts,
        )


def _proxy(scheme: str) -> str | None:
    name = f"{scheme}_proxy"
    return os.environ.get(name) or os.environ.get(name.upper()) or None
