"""Fetching what xAI made, from the address it gave: nowhere else, no more than agreed, in bounded time.

The address comes from an upstream, so it is not trusted: ``https`` to public addresses only. The name is resolved here
and the connection made to an address that was checked (the certificate is still checked against the name), so that a
second resolution cannot lead elsewhere. Redirects are followed by hand under the same rules. Plain ``http`` is for a
proxy or fake on this machine: only the very host and port the API itself is reached at.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

from ima2_provider_grok.settings import LOOPBACK

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 3
_CONNECT_SECONDS = 10.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class DownloadError(Exception):
    """The file could not be had; the message says why, for a log.

    ``transient`` ones are worth another try; ``unknown`` says that the host does not know the address, perhaps not yet.
    """

    def __init__(self, reason: str, *, transient: bool = False, unknown: bool = False) -> None:
        super().__init__(reason)
        self.transient, self.unknown = transient, unknown


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file as it arrived. ``media_type`` is what the server claims, without parameters, or empty."""

    data: bytes = field(repr=False)
    media_type: str


async def addresses_of(host: str, port: int) -> Sequence[str]:
    """All addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet: not this machine, not a private or reserved network."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = (ip.ipv4_mapped or ip.sixtofour) if isinstance(ip, ipaddress.IPv6Address) else None
    return all(one.is_global and not one.is_multicast for one in (ip, inner) if one is not None)


class Downloads:
    """Downloads through the shared client. ``own`` is the API's base URL, for the rule on plain ``http``."""

    def __init__(
        self,
        http: Callable[[], httpx.AsyncClient],
        own: str,
        *,
        resolve: Resolver = addresses_of,
        allowed: Callable[[str], bool] = is_public,
    ) -> None:
        import httpx

        self._http, self._own = http, httpx.URL(own)
        self._resolve, self._allowed = resolve, allowed

    async def fetch(self, url: str, limit: int) -> Downloaded:
        """The file at ``url``, at most ``limit`` bytes. Raises `DownloadError`; the caller bounds the time."""
        import httpx

        try:
            target = httpx.URL(url)
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self._step(target, limit)
                if isinstance(answer, Downloaded):
                    return answer
                target = answer
        except httpx.InvalidURL:
            raise DownloadError("the address is no URL") from None
        except (httpx.HTTPError, OSError) as error:
            raise DownloadError(type(error).__name__, transient=True) from None
        raise DownloadError("too many redirects")

    async def _step(self, target: httpx.URL, limit: int) -> Downloaded | httpx.URL:
        request = await self._request(target)
        response = await self._http().send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                return target.join(response.headers["location"])
            if not response.is_success:
                again = response.status_code >= 500 or response.status_code == 429
                late = response.status_code in (403, 404)
                raise DownloadError(f"HTTP {response.status_code}", transient=again, unknown=late)
            return await _body(response, limit)
        finally:
            await response.aclose()

    async def _request(self, target: httpx.URL) -> httpx.Request:
        """A request that goes to a checked address. It carries no credential, and its connection is not shared."""
        import httpx

        headers = {"accept": "*/*", "accept-encoding": "identity", "connection": "close"}
        extensions: dict[str, object] = {"timeout": httpx.Timeout(None, connect=_CONNECT_SECONDS).as_dict()}
        if target.userinfo:
            raise DownloadError("the address names a user")
        if target.scheme == "http":
            if not (target.host in LOOPBACK and self._own.host in LOOPBACK and target.port == self._own.port):
                raise DownloadError("plain http is for the API's own host only")
            return self._http().build_request("GET", target, headers=headers, extensions=extensions)
        if target.scheme != "https":
            raise DownloadError("the address is not https")
        headers["host"] = target.netloc.decode("ascii")
        extensions["sni_hostname"] = target.raw_host.decode("ascii")
        pinned = target.copy_with(host=await self._address(target))
        return self._http().build_request("GET", pinned, headers=headers, extensions=extensions)

    async def _address(self, target: httpx.URL) -> str:
        host = target.host
        if _is_proxied(host):  # the proxy resolves names; only a literal address can be judged here
            if host in LOOPBACK or (_is_literal(host) and not self._allowed(host)):
                raise DownloadError("the address is not public")
            return host
        addresses = await self._resolve(host, target.port or 443)
        if not addresses or not all(self._allowed(one) for one in addresses):
            raise DownloadError("the address is not public")
        return addresses[0]


async def _body(response: httpx.Response, limit: int) -> Downloaded:
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise DownloadError(f"more than {limit} bytes")
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > limit:
            raise DownloadError(f"more than {limit} bytes")
    if not data:
        raise DownloadError("nothing in it")
    return Downloaded(bytes(data), response.headers.get("content-type", "").partition(";")[0].strip().lower())


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_proxied(host: str) -> bool:
    proxies = getproxies()
    return bool(proxies.get("https") or proxies.get("all")) and not proxy_bypass(host)
