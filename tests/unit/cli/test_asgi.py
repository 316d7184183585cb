"""An application in this process, asked like a server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from ima2.cli.asgi import AsgiTransport


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=AsgiTransport(app), base_url="http://localhost")


async def test_a_request_arrives_whole_and_its_answer_comes_back() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        head = f"{scope['method']} {scope['path']}?{scope['query_string'].decode()} ".encode()
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"b")]})
        await send({"type": "http.response.body", "body": head + message["body"]})

    async with client(app) as asked:
        answer = await asked.post("/é x", params={"a": "1"}, content=b"body")
    assert (answer.status_code, answer.headers["x-a"]) == (201, "b")
    assert answer.content == "POST /é x?a=1 body".encode()


async def test_a_stream_comes_piece_by_piece_and_hanging_up_is_noticed() -> None:
    noticed = asyncio.Event()

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        assert (await receive())["type"] == "http.disconnect"
        noticed.set()

    async with client(app) as asked, asked.stream("GET", "/") as answer:
        async for piece in answer.aiter_bytes():
            assert piece == b"one"
            break
    await asyncio.wait_for(noticed.wait(), 2)


async def test_a_caller_who_waits_no_longer_has_hung_up() -> None:
    noticed = asyncio.Event()

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        await receive()
        noticed.set()

    async with client(app) as asked:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asked.get("/"), 0.05)
    await asyncio.wait_for(noticed.wait(), 2)


async def test_an_application_without_an_answer_is_a_broken_connection() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        return

    async with client(app) as asked:
        with pytest.raises(httpx.RemoteProtocolError):
            await asked.get("/")
