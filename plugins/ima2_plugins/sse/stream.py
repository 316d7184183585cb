"""The answer of ``GET /api/events``: an open response that writes shared frames as they come."""

from __future__ import annotations

import asyncio

from fastapi import Response
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from ima2_plugins.sse.listener import Listener
from ima2_plugins.sse.pace import Pace
from ima2_plugins.sse.payloads import Rendering
from ima2_plugins.sse.sink import SseSink

TRANSPORT = "ima2.transport"
"""The extension of the scope under which our server shows the connection. Without it a reader that takes nothing keeps
its connection until it goes."""
PARTED = 1.0
"""Seconds a connection that was cut may take to be gone."""
FLUSH_PAUSE = 0.05
"""Seconds between two looks at whether a farewell was taken."""


def refusal(status: int, code: str, text: str) -> JSONResponse:
    """An error in the one shape of this area: ``{"error": {"code", "message"}}``."""
    return JSONResponse({"error": {"code": code, "message": text}}, status)


class EventStream(Response):
    """Subscribes when it is sent, so that a request given up before holds no place."""

    media_type = "text/event-stream"

    def __init__(self, sink: SseSink, rendering: Rendering, cursor: int | None) -> None:
        self._sink, self._rendering, self._cursor = sink, rendering, cursor
        self.status_code = 200
        self.background = None
        self.init_headers(
            {"cache-control": "no-cache, no-transform", "connection": "keep-alive", "x-accel-buffering": "no"}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write until the reader leaves, is too slow, or the server stops."""
        listener = self._sink.subscribe(self._rendering, self._cursor)
        if listener is None:
            full = refusal(503, "SSE_CAPACITY", "Too many event streams are open. Close a page and try again.")
            await full(scope, receive, send)
            return
        watcher = asyncio.create_task(_watch(receive, listener))
        transport: asyncio.Transport | None = scope.get("extensions", {}).get(TRANSPORT)
        finished = False
        try:
            async with listener.lifetime():
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": b"", "more_body": True})
                await _write(listener, send, self._sink.pace)
                finished = not listener.slow or await _sent(transport)
        finally:
            if transport is not None and (listener.slow or not finished):
                (transport.close if finished else transport.abort)()
                await asyncio.wait({watcher}, timeout=PARTED)
            watcher.cancel()
            self._sink.audience.remove(listener)


async def _sent(transport: asyncio.Transport | None) -> bool:
    """Wait until the reader has taken everything; the deadline of the stream breaks this off."""
    waits = transport.get_write_buffer_size if transport is not None else int
    while waits():  # noqa: ASYNC110 (a transport tells nobody when it is empty)
        await asyncio.sleep(FLUSH_PAUSE)
    return True


async def _write(listener: Listener, send: Send, pace: Pace) -> None:
    loop = asyncio.get_running_loop()
    while True:
        chunk = listener.take()
        if chunk is not None:
            await pace.turn(len(chunk))
            listener.sending(loop.time())
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            listener.sending(None)
            await asyncio.sleep(0)  # one piece each, in turn: a quick reader may not keep the loop to itself
        elif listener.over:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        else:
            await listener.filled()


async def _watch(receive: Receive, listener: Listener) -> None:
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        listener.leave()
