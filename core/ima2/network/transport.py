"""How a request leaves this process: through which proxy, trusting whom, and how much may come back.

Answers are decompressed here, in small steps, so that a limit holds for what they become and not for what was sent.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from ima2.network.certificates import nobody
from ima2.network.proxies import Proxies, Proxy
from ima2.network.responses import too_large

DIRECT = "ima2.direct"
"""Request extension: connect without proxy, whatever the environment says."""
MAX_BYTES = "ima2.max_bytes"
"""Request extension: how many decompressed bytes the answer may have."""
BACKSTOP = 512 * 2**20
"""Decompressed bytes no answer may exceed when nobody set a limit of their own."""
STEP = 256 * 1024
_LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=20)
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}


class Door(httpx.AsyncBaseTransport):
    """Routes each request by ``proxies`` and makes the connection pools when first needed."""

    def __init__(self, proxies: Proxies, trusted: Callable[[], ssl.SSLContext]) -> None:
        self._proxies = proxies
        self._trusted = trusted
        self._context: ssl.SSLContext | None = None
        self._pools: dict[tuple[Proxy | None, bool], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises `Ima2Error` for an unusable proxy or authority, httpx's errors otherwise."""
        url = request.url
        direct = request.extensions.get(DIRECT, False)
        proxy = None if direct else self._proxies.find(url.scheme, url.host, url.port)
        pool = self._pool(proxy, url.scheme == "https")
        if proxy is None or not proxy.url.startswith("socks"):
            response = await pool.handle_async_request(request)
        else:
            response = await _through_socks(pool, request)
        return _limited(response, request)

    async def aclose(self) -> None:
        """Close every pool."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    def _pool(self, proxy: Proxy | None, encrypted: bool) -> httpx.AsyncHTTPTransport:
        key = (proxy, encrypted)
        if key not in self._pools:
            secret = encrypted or (proxy is not None and proxy.url.startswith("https:"))
            context = self._authorities() if secret else nobody()
            way = None if proxy is None else httpx.Proxy(proxy.url, ssl_context=_for_proxy(proxy, context))
            self._pools[key] = httpx.AsyncHTTPTransport(verify=context, limits=_LIMITS, proxy=way)
        return self._pools[key]

    def _authorities(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._trusted()
        return self._context


def _for_proxy(proxy: Proxy, context: ssl.SSLContext) -> ssl.SSLContext | None:
    return context if proxy.url.startswith("https:") else None


async def _through_socks(pool: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
    """A SOCKS greeting has no time limit of its own: something else may listen there and never answer."""
    from socksio import SOCKSError

    patience = (request.extensions.get("timeout") or {}).get("connect") or 10.0
    streams: list[Any] = []
    try:
        async with asyncio.timeout(None) as limit:
            request.extensions = {**request.extensions, "trace": _greeting(limit, patience, streams)}
            return await pool.handle_async_request(request)
    except (SOCKSError, AssertionError, TimeoutError, httpx.ProxyError):
        for stream in streams:  # httpcore leaves it open
            await stream.aclose()
        raise httpx.ProxyError("no SOCKS proxy answers there", request=request) from None


def _greeting(limit: asyncio.Timeout, patience: float, streams: list[Any]) -> Callable[[str, Any], Awaitable[None]]:
    """A trace for httpcore that bounds the greeting and notes the connection it is made on."""
    loop = asyncio.get_running_loop()

    async def trace(name: str, facts: Any) -> None:
        if name == "socks.connect_tcp.complete":
            streams.append(facts["return_value"])
        elif name == "socks.setup_socks5_connection.started":
            limit.reschedule(loop.time() + patience)
        elif name == "socks.setup_socks5_connection.complete":
            limit.reschedule(None)

    return trace


def _limited(response: httpx.Response, request: httpx.Request) -> httpx.Response:
    limit = request.extensions.get(MAX_BYTES, BACKSTOP)
    assert isinstance(response.stream, httpx.AsyncByteStream)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    window = _WINDOWS.get(encoding)
    headers = response.headers
    if window is None and encoding not in ("", "identity"):
        raise httpx.DecodingError("the answer is packed in a way that was not asked for", request=request)
    if window is not None:
        kept = [
            (name, value) for name, value in headers.raw if name.lower() not in (b"content-encoding", b"content-length")
        ]
        headers = httpx.Headers(kept)
    stream = _Body(response.stream, limit, window)
    return httpx.Response(response.status_code, headers=headers, stream=stream, extensions=response.extensions)


class _Body(httpx.AsyncByteStream):
    """A body, decompressed (with ``window`` as zlib counts) and counted."""

    def __init__(self, source: httpx.AsyncByteStream, limit: int, window: int | None) -> None:
        self._source, self._limit, self._window = source, limit, window

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = 0
        async for piece in self._pieces():
            total += len(piece)
            if total > self._limit:
                raise too_large(self._limit)
            yield piece

    async def _pieces(self) -> AsyncIterator[bytes]:
        if self._window is None:
            async for raw in self._source:
                yield raw
            return
        decoder = zlib.decompressobj(self._window)
        try:
            async for raw in self._source:
                while raw:
                    yield decoder.decompress(raw, STEP)
                    raw = decoder.unconsumed_tail
                    await asyncio.sleep(0)  # a small body may become a huge one: others have their turn
            yield decoder.flush(STEP)
        except zlib.error:
            raise httpx.DecodingError("the answer cannot be decompressed") from None

    async def aclose(self) -> None:
        await self._source.aclose()
