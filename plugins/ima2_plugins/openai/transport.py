"""One call over the wire: a POST that may cost money is written to the upstream once.

Only a connection that was never made is tried a second time, and only an answer 401 is, with a renewed login: in
both cases nothing was done upstream. Answers are read within limits that hold for decompressed bytes.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ima2 import Update
from ima2_plugins.openai import errors
from ima2_plugins.openai.response_reader import ResponseReader
from ima2_plugins.openai.sse import MAX_EVENT, EventReader
from ima2_plugins.openai.upstream_error import UpstreamError, parse_body

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
MAX_ANSWER = 1024 * 1024 * 1024
"""Bytes one stream may have in all: previews come and go, so this is more than is ever held."""
_ERROR_BYTES = 65_536
_LARGE = 262_144
Send = Callable[["Endpoint"], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a call goes, and as whom. ``extra`` are body fields that only this kind of upstream wants."""

    url: str
    upstream: errors.Upstream
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict)


class Auth(ABC):
    """Knows the address of an upstream and how to be let in."""

    @abstractmethod
    async def endpoint(self, path: str = "responses") -> Endpoint:
        """Where to send the next call (``responses``, ``images/edits``). `Ima2Error` when a credential is missing."""

    async def renew(self, refused: Endpoint) -> Endpoint | None:
        """Another try after an answer 401, or ``None`` when there is none."""
        return None


class Rejected(Exception):
    """An answer that is not 2xx: what it says, and how many seconds it asks to wait."""

    def __init__(self, cause: UpstreamError, upstream: errors.Upstream, wait: float | None, request_id: str) -> None:
        super().__init__(cause.kind)
        self.cause = cause
        self.upstream = upstream
        self.wait = wait
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class Deadline:
    """When an exchange has to be over; ``total`` seconds from its start."""

    total: float
    end: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline in that many seconds."""
        return cls(seconds, time.monotonic() + seconds)

    def limit(self) -> asyncio.Timeout:
        """A scope that ends with ``TimeoutError`` at the deadline."""
        return asyncio.timeout(max(0.0, self.end - time.monotonic()))


@asynccontextmanager
async def post(
    client: httpx.AsyncClient, auth: Auth, endpoint: Endpoint, content: Send, deadline: Deadline
) -> AsyncIterator[tuple[Endpoint, httpx.Response]]:
    """Send a body and give the 2xx answer, unread. Leaving the context closes the connection.

    `Rejected` is raised for every other answer, `Ima2Error` for none and for one that is too late.
    """
    response = await _send(client, endpoint, await content(endpoint), deadline)
    try:
        if response.status_code == 401 and (other := await auth.renew(endpoint)):
            await response.aclose()
            endpoint = other
            response = await _send(client, endpoint, await content(endpoint), deadline)
        if not response.is_success:
            raise await _rejection(response, endpoint, deadline)
        yield endpoint, response
    finally:
        await response.aclose()


async def _send(client: httpx.AsyncClient, endpoint: Endpoint, content: bytes, deadline: Deadline) -> httpx.Response:
    import httpx

    timeout = httpx.Timeout(deadline.total, connect=CONNECT_SECONDS)
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "accept-encoding": "identity",
        **endpoint.headers,
    }
    request = client.build_request("POST", endpoint.url, content=content, headers=headers, timeout=timeout)
    with _mapped(endpoint, deadline):
        async with deadline.limit():
            try:
                return await client.send(request, stream=True)
            except httpx.ProxyError:
                raise
            except (httpx.ConnectError, httpx.ConnectTimeout):
                return await client.send(request, stream=True)


async def _rejection(response: httpx.Response, endpoint: Endpoint, deadline: Deadline) -> Rejected:
    body = b""
    with _mapped(endpoint, deadline):
        async with deadline.limit():
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _ERROR_BYTES:
                    break
    status = response.status_code
    cause = parse_body(body, status if status >= 300 else 502)
    wait = errors.retry_after(response.headers)
    return Rejected(cause, endpoint.upstream, wait, response.headers.get("x-request-id", ""))


async def read_updates(
    endpoint: Endpoint, response: httpx.Response, reader: ResponseReader, deadline: Deadline
) -> AsyncGenerator[Update, None]:
    """Read an answer to its end, or to its failure, and give what it says as it says it.

    Its first byte says whether it is one JSON value or a stream of events, whatever its label is.
    """
    async with aclosing(_chunks(endpoint, response, deadline)) as chunks:
        begin = await _beginning(chunks)
        if begin.lstrip()[:1] in (b"{", b"["):
            body = await _whole(begin, chunks)
            for update in await _apart(reader.read_json, body):
                yield update
            return
        events = EventReader(reader.stats)
        chunk: bytes | None = begin
        while reader.error is None:
            found = _fed(events, chunk)
            for data in found:
                for update in await _apart(reader.read_event, data):
                    yield update
            if chunk is None:
                return
            chunk = await anext(chunks, None)


async def _chunks(endpoint: Endpoint, response: httpx.Response, deadline: Deadline) -> AsyncGenerator[bytes, None]:
    """The answer's bytes, decompressed, until its end or a limit."""
    total = 0
    async with aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_bytes())) as chunks:
        while True:
            with _mapped(endpoint, deadline):
                async with deadline.limit():
                    chunk = await anext(chunks, None)
            if chunk is None:
                return
            total += len(chunk)
            if total > MAX_ANSWER:
                raise errors.too_large()
            yield chunk


async def _beginning(chunks: AsyncGenerator[bytes, None]) -> bytes:
    """The first bytes, up to one that is not white space."""
    begin = b""
    while not begin.strip() and (chunk := await anext(chunks, None)) is not None:
        begin += chunk
    return begin


async def _whole(begin: bytes, chunks: AsyncGenerator[bytes, None]) -> bytes:
    body = bytearray(begin)
    while len(body) <= MAX_EVENT:
        chunk = await anext(chunks, None)
        if chunk is None:
            return bytes(body)
        body += chunk
    raise errors.too_large()


def _fed(events: EventReader, chunk: bytes | None) -> list[bytes | memoryview]:
    try:
        return events.end() if chunk is None else events.feed(chunk)
    except OverflowError:
        raise errors.too_large() from None


async def _apart(read: Callable[[Any], list[Update]], data: Any) -> list[Update]:
    """Parse and decode: in a thread where there is much of it, so that nothing else has to wait."""
    return await asyncio.to_thread(read, data) if len(data) > _LARGE else read(data)


@contextmanager
def _mapped(endpoint: Endpoint, deadline: Deadline) -> Iterator[None]:
    """Turns what the transport raises into `Ima2Error`."""
    import httpx

    try:
        yield
    except httpx.ConnectTimeout as error:
        raise errors.unreachable(error, endpoint.upstream) from None
    except (TimeoutError, httpx.TimeoutException):
        raise errors.timed_out(deadline.total) from None
    except httpx.RequestError as error:
        raise errors.unreachable(error, endpoint.upstream) from None
