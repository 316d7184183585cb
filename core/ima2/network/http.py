"""The one door to the network: one HTTP client of a process, made when first asked for, and guarded downloads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ima2.network.certificates import trusted
from ima2.network.fetch import Fetched, FetchLimits, Guard
from ima2.network.proxies import Proxies
from ima2.version import VERSION

if TYPE_CHECKING:
    import httpx

USER_AGENT = f"ima2/{VERSION}"


class Http:
    """Hands out one shared client: pooled connections, no redirects, our own name.

    Proxies and certificates are those of the environment, as curl and httpx obey them (`Proxies`, `trusted`); this
    machine is never reached through a proxy.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._client: httpx.AsyncClient | None = None

    def __call__(self) -> httpx.AsyncClient:
        """The client."""
        if self._client is None:
            self._client = self._make()
        return self._client

    async def fetch(self, url: str, limits: FetchLimits | None = None) -> Fetched:
        """The file at an address that came from outside (an upstream, a user): the one guarded download.

        ``https`` to the public internet only, also after each redirect, within ``limits``. Raises `FetchError`.
        """
        return await Guard(self, Proxies(self._environ)).fetch(url, limits or FetchLimits())

    async def close(self) -> None:
        """Close it, if it was ever made."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _make(self) -> httpx.AsyncClient:
        import httpx

        from ima2.network.transport import Door

        return httpx.AsyncClient(
            headers={"user-agent": USER_AGENT, "accept-encoding": "gzip"},
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(60.0, connect=10.0),
            transport=Door(Proxies(self._environ), lambda: trusted(self._environ)),
        )
