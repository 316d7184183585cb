"""Downloading from an address that came from outside: nowhere else, no more than agreed, in bounded time.

The name is resolved here and the connection made to an address that was checked (the certificate is still checked
against the name), so that a second resolution cannot lead elsewhere. Redirects are followed by hand under the same
rules. Where the environment names a proxy, the proxy resolves; what the name means here is checked all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ima2.errors import Ima2Error
from ima2.media.sniff import media_type_of
from ima2.network import addresses
from ima2.network.errors import network_error
from ima2.network.responses import read_limited

if TYPE_CHECKING:
    import httpx

    from ima2.network.proxies import Proxies

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONNECT_SECONDS = 10.0
_PROXIED_RESOLVE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What a download may be.

    ``max_bytes`` counts decompressed bytes, ``seconds`` bounds it as a whole, ``redirects`` how often it may be sent
    on. ``media_types`` are accepted (empty = any), as the bytes say, or as the server says where bytes are not known.
    ``trusted`` are base URLs of the user's own configuration, such as a gateway in their network: what lies on the
    same scheme, host and port may be plain ``http`` and need not be public.
    """

    max_bytes: int = 100 * 2**20
    seconds: float = 120.0
    media_types: tuple[str, ...] = ()
    redirects: int = 3
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it arrived. ``media_type`` is what its bytes say, else what the server claims, else empty."""

    data: bytes = field(repr=False)
    media_type: str


class FetchError(Ima2Error):
    """A download that did not come about.

    ``FETCH_ADDRESS_REFUSED``, ``FETCH_TIMEOUT``, ``FETCH_TOO_LARGE``, ``FETCH_MEDIA_TYPE`` or ``FETCH_FAILED``; the
    text holds no address. ``http_status`` is the server's own answer (0 = none); ``transient`` ones are worth another
    try.
    """

    def __init__(
        self, code: str, text: str, *, http_status: int = 0, transient: bool = False, details: Any = None
    ) -> None:
        super().__init__(code, 504 if code == "FETCH_TIMEOUT" else 502, text, details=details)
        self.http_status = http_status
        self.transient = transient


class Guard:
    """Checks every step of a download. ``client`` is the shared one, ``proxies`` those it uses."""

    def __init__(self, client: Callable[[], httpx.AsyncClient], proxies: Proxies) -> None:
        self._client, self._proxies = client, proxies

    async def fetch(self, url: str, limits: FetchLimits) -> Fetched:
        """See `Http.fetch`."""
        import httpx

        try:
            async with asyncio.timeout(limits.seconds):
                return await self._follow(httpx.URL(url), limits)
        except TimeoutError:
            text = f"The download was not done within {limits.seconds:.0f} seconds."
            raise FetchError("FETCH_TIMEOUT", text, transient=True) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            raise refused("it is no URL") from None
        except (httpx.HTTPError, OSError) as error:
            known = network_error(error, service="The download's server")
            transient = known.details["networkReason"] not in ("certificate", "proxy", "address")
            raise FetchError("FETCH_FAILED", known.text, transient=transient, details=known.details) from None

    async def _follow(self, target: httpx.URL, limits: FetchLimits) -> Fetched:
        for _ in range(limits.redirects + 1):
            answer = await self._step(target, limits)
            if isinstance(answer, Fetched):
                return answer
            target = answer
        raise FetchError("FETCH_FAILED", "The download was sent on too often.")

    async def _step(self, target: httpx.URL, limits: FetchLimits) -> Fetched | httpx.URL:
        request = await self._request(target, limits)
        response = await self._client().send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                return target.join(response.headers["location"])
            if not response.is_success:
                status = response.status_code
                text = f"The download's server answered with HTTP {status}."
                raise FetchError("FETCH_FAILED", text, http_status=status, transient=status >= 500 or status == 429)
            return await _file(response, limits)
        finally:
            await response.aclose()

    async def _request(self, target: httpx.URL, limits: FetchLimits) -> httpx.Request:
        """A request that goes to a checked address. It carries no credential, and its connection is not shared."""
        import httpx

        from ima2.network.transport import DIRECT, MAX_BYTES

        headers = {"accept": "*/*", "connection": "close"}
        timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS).as_dict()
        extensions: dict[str, object] = {"timeout": timeout, MAX_BYTES: limits.max_bytes + 1}
        trusted = any(_same_origin(target, one) for one in limits.trusted)
        if target.userinfo:
            raise refused("it names a user")
        if not trusted:
            if target.scheme != "https":
                raise refused("it is not https")
            address = await self._address(target)
            if address:
                headers["host"] = target.netloc.decode("ascii")
                extensions |= {"sni_hostname": target.raw_host.decode("ascii"), DIRECT: True}
                target = target.copy_with(host=address)
        return self._client().build_request("GET", target, headers=headers, extensions=extensions)

    async def _address(self, target: httpx.URL) -> str:
        """The checked address to connect to; empty when a proxy is to be asked by name."""
        host, port = target.host, target.port or 443
        proxied = self._proxies.find("https", host, port) is not None
        if not host or addresses.is_loopback(host) or (addresses.is_literal(host) and not addresses.is_public(host)):
            raise refused("it is not public")
        try:
            async with asyncio.timeout(_PROXIED_RESOLVE_SECONDS if proxied else None):
                found: Sequence[str] = await addresses.resolve(host, port)
        except OSError:
            if proxied:  # behind a proxy, names of the outside need not be known here
                return ""
            raise
        if not all(addresses.may_connect(one) for one in found):
            raise refused("it is not public")
        return "" if proxied else found[0]


def refused(reason: str) -> FetchError:
    """The error of an address that is not asked."""
    return FetchError("FETCH_ADDRESS_REFUSED", f"The address of the download is not allowed: {reason}.")


def _same_origin(target: httpx.URL, base: str) -> bool:
    parts = urlsplit(base)
    port = {"http": 80, "https": 443}
    own = (parts.scheme, parts.hostname, parts.port or port.get(parts.scheme))
    return (target.scheme, target.host, target.port or port.get(target.scheme)) == own


async def _file(response: httpx.Response, limits: FetchLimits) -> Fetched:
    try:
        data = await read_limited(response, limits.max_bytes)
    except Ima2Error:
        raise FetchError("FETCH_TOO_LARGE", f"The download is larger than {limits.max_bytes} bytes.") from None
    if not data:
        raise FetchError("FETCH_FAILED", "The download is empty.", transient=True)
    claimed = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    media_type = media_type_of(data) or claimed
    if limits.media_types and media_type not in limits.media_types:
        raise FetchError("FETCH_MEDIA_TYPE", "The download is of a kind that is not accepted here.")
    return Fetched(data, media_type)
