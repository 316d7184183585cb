"""Answering a POST with its own event stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from starlette.responses import StreamingResponse

from ima2.server.replies import BIG, encode, weight

HEARTBEAT_S = 15.0
HEADERS = {"Cache-Control": "no-cache, no-transform", "Connection": "keep-alive", "X-Accel-Buffering": "no"}


class Told:
    """What a job tells its own client: a queue that ends with the job."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[str, Mapping[str, Any]] | None] = asyncio.Queue()

    def __call__(self, name: str, data: Mapping[str, Any]) -> None:
        """Take an event; never waits."""
        self._queue.put_nowait((name, data))

    def end(self) -> None:
        """No more will come."""
        self._queue.put_nowait(None)

    async def frames(self) -> AsyncIterator[bytes]:
        """Event-stream frames, LF only, with a comment every 15 s so that nothing between gives up."""
        while True:
            try:
                event = await asyncio.wait_for(self._queue.get(), HEARTBEAT_S)
            except TimeoutError:
                yield b": ping\n\n"
                continue
            if event is None:
                return
            yield await frame(*event)


async def frame(name: str, data: Mapping[str, Any]) -> bytes:
    """One frame: ``event: <name>``, ``data: <one line of JSON>``."""
    body = await asyncio.to_thread(encode, data) if weight(data) > BIG else encode(data)
    return b"event: " + name.encode() + b"\ndata: " + body + b"\n\n"


def stream(told: Told, headers: Mapping[str, str] | None = None) -> StreamingResponse:
    """The answer that hands over what is told until it ends."""
    return StreamingResponse(told.frames(), 200, {**HEADERS, **(headers or {})}, "text/event-stream; charset=utf-8")


def one_frame(name: str, data: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> StreamingResponse:
    """An answer of a single frame: how streams of the reference report what is wrong with a request."""

    async def frames() -> AsyncIterator[bytes]:
        yield b"event: " + name.encode() + b"\ndata: " + orjson.dumps(dict(data)) + b"\n\n"

    return StreamingResponse(frames(), 200, {**HEADERS, **(headers or {})}, "text/event-stream; charset=utf-8")
