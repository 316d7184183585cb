"""Frames of event streams that answer a POST."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from starlette.responses import StreamingResponse

from ima2.interfaces import JobHandle
from ima2.models import Event
from ima2.server.replies import BIG, encode, weight

HEARTBEAT_S = 15.0
PING = b": ping\n\n"
HEADERS = {"Cache-Control": "no-cache, no-transform", "Connection": "keep-alive", "X-Accel-Buffering": "no"}


async def frame(name: str, data: Mapping[str, Any]) -> bytes:
    """One frame: ``event: <name>``, ``data: <one line of JSON>``."""
    body = await asyncio.to_thread(encode, data) if weight(data) > BIG else encode(data)
    return b"event: " + name.encode() + b"\ndata: " + body + b"\n\n"


def one_frame(name: str, data: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> StreamingResponse:
    """An answer of a single frame: how streams of the reference report what is wrong with a request."""

    async def frames() -> AsyncIterator[bytes]:
        yield b"event: " + name.encode() + b"\ndata: " + orjson.dumps(dict(data)) + b"\n\n"

    return StreamingResponse(frames(), 200, {**HEADERS, **(headers or {})}, "text/event-stream; charset=utf-8")


def event_stream(handle: JobHandle) -> StreamingResponse:
    """The job's events as ``text/event-stream``, up to ``done`` or ``error``, with a comment every 15 s so that nothing
    between gives up. A client that goes away stops hearing; the job goes on."""
    return StreamingResponse(_frames(handle.events()), 200, HEADERS, "text/event-stream; charset=utf-8")


async def _frames(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """Frames with LF only."""
    waiting: asyncio.Task[Any] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(events))
            await asyncio.wait({waiting}, timeout=HEARTBEAT_S)
            if not waiting.done():
                yield PING
                continue
            event, waiting = waiting.result(), None
            yield await frame(event.name, event.data)
            if event.terminal:
                return
    finally:
        if waiting is not None:
            waiting.cancel()
