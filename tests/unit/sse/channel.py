"""A real event channel for tests: the sink over a SQLite file, its routes under uvicorn, readers of plain sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

import ima2
from ima2.database.sqlite import Database
from ima2.server.protocol import Protocol
from ima2_plugins.sse.journal import TABLES
from ima2_plugins.sse.routes import router
from ima2_plugins.sse.settings import SseSettings
from ima2_plugins.sse.sink import SseSink

LOG = logging.getLogger("ima2.plugin.sse")


@dataclass
class Told:
    """One frame as a client sees it."""

    id: int | None
    event: str
    data: dict[str, Any]


@dataclass
class Reader:
    """An open HTTP answer, decoded as it comes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: bytes = b""
    comments: int = 0

    @classmethod
    async def get(cls, port: int, path: str, headers: dict[str, str] | None = None, window: int = 0) -> Reader:
        """Ask, and read the head. ``window`` limits the receive buffer of the socket."""
        plain = socket.socket()
        if window:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
        self = cls(*await asyncio.open_connection(sock=plain, limit=2**16))
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self.writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{extra}\r\n".encode())
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)).decode().split("\r\n")
        self.status = int(head[0].split()[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        return self

    async def more(self) -> bool:
        """Read one chunk; ``False`` at the end of the answer."""
        try:
            size = int(await self.reader.readline() or b"0", 16)
            self.text += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        return size > 0

    async def block(self) -> bytes | None:
        """The next frame or comment, without its blank line."""
        while b"\n\n" not in self.text:
            if not await self.more():
                return None
        block, _, self.text = self.text.partition(b"\n\n")
        return block

    async def next(self, patience: float = 5.0) -> Told | None:
        """The next frame, ``None`` when the stream ended. Comments are counted."""
        while (block := await asyncio.wait_for(self.block(), patience)) is not None:
            if block.startswith(b":"):
                self.comments += 1
                continue
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n"))
            number = int(fields[b"id"]) if b"id" in fields else None
            return Told(number, fields[b"event"].decode(), json.loads(fields[b"data"]))
        return None

    async def take(self, count: int) -> list[Told]:
        """That many frames."""
        told = [await self.next() for _ in range(count)]
        return [one for one in told if one is not None]

    async def rest(self, patience: float = 5.0) -> list[Told]:
        """All frames until the stream ends."""
        told = []
        while (one := await self.next(patience)) is not None:
            told.append(one)
        return told

    async def body(self) -> bytes:
        """A whole answer with a length."""
        return await self.reader.readexactly(int(self.headers["content-length"]))

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@dataclass
class Channel:
    """A running channel."""

    sink: SseSink
    port: int
    app: FastAPI
    server: uvicorn.Server
    readers: list[Reader] = field(default_factory=list)

    async def listen(self, path: str = "/api/events", *, cursor: str | None = None, window: int = 0) -> Reader:
        """Open a stream, or ask for anything else; closed with the channel. ``cursor`` is the Last-Event-ID header."""
        reader = await Reader.get(self.port, path, {} if cursor is None else {"last-event-id": cursor}, window)
        self.readers.append(reader)
        return reader

    async def tell(
        self, name: str, job: str = "job", terminal: bool = False, direct: bool = False, **data: Any
    ) -> None:
        """Hand one event to the sink, as the publisher does."""
        await self.sink.handle(ima2.Event(name, job, data, terminal, direct=direct))

    async def settled(self) -> None:
        """Wait until everything told so far has a number and is in the ring."""
        await self.sink._waiting.join()


@asynccontextmanager
async def sink_over(path: Path, **settings: Any) -> AsyncIterator[SseSink]:
    """An open sink over the database at ``path``."""
    database = Database(path)
    await database.open([("sse", TABLES)])
    sink = SseSink(SseSettings(**settings), database, LOG)
    await sink.open()
    try:
        yield sink
    finally:
        await sink.close()
        await database.close()


@asynccontextmanager
async def channel_over(path: Path, **settings: Any) -> AsyncIterator[Channel]:
    """A channel over the database at ``path``, served on a free port."""
    async with sink_over(path, **settings) as sink:
        app = FastAPI()
        app.include_router(router(sink))
        config = uvicorn.Config(
            app, http=Protocol, ws="none", lifespan="off", log_level="critical", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        listening = socket.create_server(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve([listening]))
        while not server.started:
            await asyncio.sleep(0.005)
        channel = Channel(sink, listening.getsockname()[1], app, server)
        try:
            yield channel
        finally:
            for reader in channel.readers:
                await reader.close()
            server.should_exit = True
            await task
            listening.close()
