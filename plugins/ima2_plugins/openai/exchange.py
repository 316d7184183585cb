"""One call over the wire: a POST that may cost money is written to the upstream once.

Only a connection that was never made is tried a second time, and only an answer 401 is, with a renewed login: in
both cases nothing was done upstream.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ima2 import Ima2Error, Update, safe_label
from ima2_plugins.openai import complaint, errors
from ima2_plugins.openai.answer import Answer
from ima2_plugins.openai.body import Order
from ima2_plugins.openai.sse import EventReader

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
_ERROR_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Address:
    """Where a call goes, and as whom. ``extra`` are body fields that only this kind of upstream wants."""

    url: str
    lane: errors.Lane
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict)


class Door(ABC):
    """Knows the address of an upstream and how to be let in."""

    @abstractmethod
    async def address(self) -> Address:
        """Where to send the next call. Raises `Ima2Error` when a credential is missing."""

    async def renewed(self, refused: Address) -> Address | None:
        """Another try after an answer 401, or ``None`` when there is none."""
        return None


@dataclass(frozen=True, slots=True)
class Clock:
    """When an exchange has to be over; ``total`` seconds from its start."""

    total: float
    end: float

    @classmethod
    def of(cls, seconds: float) -> Clock:
        """A clock that runs out in that many seconds."""
        return cls(seconds, time.monotonic() + seconds)

    def limit(self) -> asyncio.Timeout:
        """A scope that ends with ``TimeoutError`` when the clock has run out."""
        return asyncio.timeout(max(0.0, self.end - time.monotonic()))


@asynccontextmanager
async def posted(
    client: httpx.AsyncClient, door: Door, order: Order, clock: Clock, log: logging.Logger
) -> AsyncIterator[tuple[Address, httpx.Response]]:
    """Send the body and give the 2xx answer, unread. Leaving the context closes the connection.

    Raises `Ima2Error` for every other answer, for no answer and for one that is too late.
    """
    address = await door.address()
    response = await _sent(client, address, order, clock)
    try:
        if response.status_code == 401 and (other := await door.renewed(address)):
            await response.aclose()
            address = other
            response = await _sent(client, address, order, clock)
        if not response.is_success:
            raise await _refused(response, address, clock, log)
        yield address, response
    finally:
        await response.aclose()


async def _sent(client: httpx.AsyncClient, address: Address, order: Order, clock: Clock) -> httpx.Response:
    import httpx

    content = await order.content(address.extra)
    timeout = httpx.Timeout(clock.total, connect=CONNECT_SECONDS)
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "accept-encoding": "identity",
        **address.headers,
    }
    request = client.build_request("POST", address.url, content=content, headers=headers, timeout=timeout)
    with _mapped(address, clock):
        async with clock.limit():
            try:
                return await client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                return await client.send(request, stream=True)


async def _refused(response: httpx.Response, address: Address, clock: Clock, log: logging.Logger) -> Ima2Error:
    body = b""
    with _mapped(address, clock):
        async with clock.limit():
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _ERROR_BYTES:
                    break
    status = response.status_code
    told = complaint.of_body(body, status if status >= 400 else 502)
    error = errors.failure(told, address.lane, wait=errors.retry_after(response.headers))
    request_id = safe_label(response.headers.get("x-request-id"))
    log.info("upstream answered %d, told as %s (its request %s)", status, error.code, request_id)
    return error


async def updates(
    address: Address, response: httpx.Response, answer: Answer, clock: Clock
) -> AsyncGenerator[Update, None]:
    """Read an answer to its end, or to its failure, and give what it says as it says it."""
    if "json" in response.headers.get("content-type", ""):
        with _mapped(address, clock):
            async with clock.limit():
                body = await response.aread()
        for update in answer.whole(body):
            yield update
        return
    reader = EventReader(answer.stats)
    async with aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_bytes())) as chunks:
        while answer.error is None:
            with _mapped(address, clock):
                async with clock.limit():
                    chunk = await anext(chunks, None)
                events = reader.end() if chunk is None else reader.feed(chunk)
            for data in events:
                for update in answer.read(data):
                    yield update
            if chunk is None:
                return


@contextmanager
def _mapped(address: Address, clock: Clock) -> Iterator[None]:
    """Turns what the transport raises into `Ima2Error`."""
    import httpx

    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise errors.unreachable(error, address.lane) from None
    except (TimeoutError, httpx.TimeoutException):
        raise errors.timed_out(clock.total) from None
    except httpx.RequestError as error:
        raise errors.unreachable(error, address.lane) from None
    except OverflowError:
        raise errors.too_large() from None
