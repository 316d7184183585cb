"""An ASGI application in this process, asked as if it were a server: no socket, and streams come piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx

Message = MutableMapping[str, Any]
Application = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Any]


class AsgiTransport(httpx.AsyncBaseTransport):
    """Hands requests to ``app``. A caller who stops reading is a client that hung up, as on a network."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The head of the answer as soon as it is there; the body follows as it is read."""
        exchange = Exchange(await request.aread())
        exchange.task = asyncio.create_task(exchange.run(self._app, _scope(request)))
        try:
            status, headers = await exchange.head()
        except BaseException:
            exchange.gone.set()
            raise
        return httpx.Response(status, headers=headers, stream=exchange)


class Exchange(httpx.AsyncByteStream):
    """One request and its answer on the way."""

    def __init__(self, body: bytes) -> None:
        self.gone = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._request: bytes | None = body
        self._start: asyncio.Future[tuple[int, Any]] = asyncio.get_running_loop().create_future()
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def run(self, app: Application, scope: Message) -> None:
        """Run the application to the end of its answer. What it raises is a connection that broke."""
        try:
            await app(scope, self._receive, self._send)
        finally:
            if not self._start.done():
                self._start.set_exception(httpx.RemoteProtocolError("the application gave no answer"))
            self._pieces.put_nowait(None)

    async def head(self) -> tuple[int, Any]:
        """Status and headers."""
        return await self._start

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece

    async def aclose(self) -> None:
        """Hang up."""
        self.gone.set()
        if self.task is not None:
            await asyncio.wait({self.task}, timeout=1)

    async def _receive(self) -> Message:
        if self._request is not None:
            body, self._request = self._request, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start.set_result((message["status"], message.get("headers", [])))
        elif message["type"] == "http.response.body":
            if message.get("body"):
                self._pieces.put_nowait(bytes(message["body"]))
            if not message.get("more_body"):
                self._pieces.put_nowait(None)


def _scope(request: httpx.Request) -> Message:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 0),
        "server": (request.url.host, request.url.port or 80),
    }
