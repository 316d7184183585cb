"""Reading request bodies within their limits: each for itself, and all together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from ima2.errors import Ima2Error

SMALL = 1_048_576
"""Bytes up to which a body is read at once; larger ones wait for room."""
BIG = 262_144
"""Bytes above which a body is parsed off the event loop."""
BUDGET = 192 * 2**20
IDLE_S = 30.0
"""How long a client may send nothing of a body it announced."""
WHOLE_S = 300.0
"""How long a body may take as a whole."""
ROOM_S = 30.0
"""How long a large body waits for others to be read."""
DEPTH = 64
"""Levels that JSON may be nested."""
VALUES = 200_000
"""Values that JSON may hold, about: each costs many times the bytes it is written with."""


class BodyBudget:
    """Bytes of large bodies that may be in memory together while they are read and parsed, first come first served."""

    def __init__(self, total: int = BUDGET) -> None:
        self._total = self._left = total
        self._line: deque[tuple[asyncio.Future[None], int]] = deque()
        self.parsing = asyncio.Lock()
        """Held while a large body is parsed: that keeps the interpreter to itself, so one at a time is enough."""

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """Hold ``size`` bytes. 429 ``TOO_MANY_BODIES`` when there is no room for too long."""
        size = min(size, self._total)
        await self._wait(size)
        try:
            yield
        finally:
            self._left += size
            self._serve()

    async def _wait(self, size: int) -> None:
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((ticket, size))
        self._serve()
        try:
            async with asyncio.timeout(ROOM_S):
                await ticket
        except BaseException as error:
            if ticket.done() and not ticket.cancelled():  # given, and given up in the same turn
                self._left += size
            ticket.cancel()
            self._serve()
            if isinstance(error, TimeoutError):
                text = "Too many large requests are being read. Try again in a little while."
                raise Ima2Error("TOO_MANY_BODIES", 429, text, retry_after=5) from None
            raise

    def _serve(self) -> None:
        while self._line and (self._line[0][0].done() or self._line[0][1] <= self._left):
            ticket, size = self._line.popleft()
            if not ticket.done():
                self._left -= size
                ticket.set_result(None)


def too_large(limit: int) -> Ima2Error:
    """413 ``PAYLOAD_TOO_LARGE``."""
    return Ima2Error("PAYLOAD_TOO_LARGE", 413, f"The request body is larger than {limit} bytes.")


async def read_body(request: Request, limit: int = SMALL) -> bytes:
    """The raw body, or 413 as soon as it is known to be too large.

    A body cut short is 400 ``BODY_INCOMPLETE``, one that does not come on 408 ``BODY_TIMEOUT``.
    """
    async with _reading(request, limit) as raw:
        return raw


async def read_json(request: Request, limit: int = SMALL) -> Mapping[str, Any] | None:
    """The body as a JSON object; ``None`` when there is none or it is of another content type.

    400 ``INVALID_JSON`` for malformed text and for more levels or values than any request has, 400 ``INVALID_BODY``
    for JSON that is no object; otherwise as `read_body`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    async with _reading(request, limit) as raw:
        if not raw or kind != "application/json":
            return None
        value = await _parse_aside(request, raw) if len(raw) > BIG else parse(raw)
    if not isinstance(value, dict):
        raise Ima2Error("INVALID_BODY", 400, "The request body must be a JSON object.")
    return value


async def _parse_aside(request: Request, raw: bytes) -> Any:
    async with budget_of(request).parsing:
        return await asyncio.to_thread(parse, raw)


def parse(raw: bytes) -> Any:
    """JSON of a bounded number of levels and values."""
    opening = _count(raw, b"[") + _count(raw, b"{")
    if opening + _count(raw, b",") > VALUES:
        raise Ima2Error("INVALID_JSON", 400, f"The request body holds more than {VALUES} values.")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Ima2Error("INVALID_JSON", 400, "The request body is not valid JSON.") from None
    if opening > DEPTH and _depth(value) > DEPTH:
        raise Ima2Error("INVALID_JSON", 400, f"The request body is nested deeper than {DEPTH} levels.")
    return value


def _count(raw: bytes, sign: bytes) -> int:
    """How often one sign occurs, in steps between which other threads run."""
    return sum(raw.count(sign, start, start + SMALL) for start in range(0, len(raw), SMALL))


def _depth(value: Any) -> int:
    """How deep a value is nested, up to one more than `DEPTH`."""
    level: Iterable[Any] = [value]
    for depth in range(DEPTH + 1):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        if not inner:
            return depth
        level = inner
    return DEPTH + 1


@asynccontextmanager
async def _reading(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The raw body, with the room it takes held until it is no longer needed."""
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdigit() else limit
    if declared.isdigit() and size > limit:
        raise too_large(limit)
    if size <= SMALL:
        yield await _pieces(request, limit)
        return
    async with budget_of(request).room(size):
        yield await _pieces(request, limit)


def budget_of(request: Request) -> BodyBudget:
    """The budget of the server that a request came to."""
    state = request.app.state
    if not hasattr(state, "bodies"):
        state.bodies = BodyBudget()
    budget: BodyBudget = state.bodies
    return budget


async def _pieces(request: Request, limit: int) -> bytes:
    pieces, total = [], 0
    loop = asyncio.get_running_loop()
    end = loop.time() + WHOLE_S
    try:
        async with asyncio.timeout(IDLE_S) as patience:
            async for piece in request.stream():
                total += len(piece)
                if total > limit:
                    raise too_large(limit)
                pieces.append(piece)
                patience.reschedule(min(loop.time() + IDLE_S, end))
    except ClientDisconnect:
        raise Ima2Error("BODY_INCOMPLETE", 400, "The request body ended before it was whole.") from None
    except TimeoutError:
        raise Ima2Error("BODY_TIMEOUT", 408, "The request body did not come in time.") from None
    return await asyncio.to_thread(b"".join, pieces) if total > SMALL else b"".join(pieces)
