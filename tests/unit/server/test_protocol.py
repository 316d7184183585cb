"""Readers that do not read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from ima2.server import protocol
from ima2.server.protocol import Protocol

SIZE = 8_000_000


async def large(scope: Scope, receive: Receive, send: Send) -> None:
    """Eight megabytes in one piece."""
    head = [(b"content-length", str(SIZE).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"x" * SIZE})


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[uvicorn.Server, asyncio.StreamReader]]:
    """A server of `large` and a client that has asked for it through a small window."""
    server = uvicorn.Server(uvicorn.Config(large, http=Protocol, port=0, lifespan="off", log_level="critical"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, server.servers[0].sockets[0].getsockname())
    reader, writer = await asyncio.open_connection(sock=plain, limit=4096)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    try:
        yield server, reader
    finally:
        writer.close()
        server.should_exit = True
        await task


async def test_a_reader_that_takes_nothing_loses_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STALL_S", 0.2)
    async with connected() as (server, _), asyncio.timeout(5):
        while not server.server_state.connections:
            await asyncio.sleep(0.005)
        while server.server_state.connections:
            await asyncio.sleep(0.01)


async def test_a_reader_that_takes_little_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STALL_S", 0.4)
    async with connected() as (_, reader):
        await reader.readuntil(b"\r\n\r\n")
        taken = 0
        while taken < SIZE and (piece := await reader.read(200_000)):
            taken += len(piece)
            if taken < SIZE // 4:
                await asyncio.sleep(0.02)
        assert taken == SIZE
