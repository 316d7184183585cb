"""The reason of a network failure, in a sentence."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from tests.upstreams.raw import raw_server

import ima2
from ima2.network.http import Http


async def failing(send: bytes, **timeouts: float) -> BaseException:
    """What the client raises when a server answers with these bytes and closes (or, with none, says nothing)."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if send != b"":
            writer.write(send)
            await writer.drain()
        else:
            await reader.read()

    http = Http({})
    async with raw_server(answer) as port:
        try:
            with pytest.raises(httpx.HTTPError) as caught:
                await http().get(f"http://127.0.0.1:{port}/", timeout=httpx.Timeout(2, **timeouts))
        finally:
            await http.close()
    return caught.value


@pytest.mark.parametrize(
    ("send", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", "broken"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", "broken"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "unreadable"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nhalf", "unreadable"),
    ],
)
async def test_an_answer_that_breaks_or_is_none_is_told_apart(send: bytes, reason: str) -> None:
    error = ima2.network_error(await failing(send), service="xAI", code="GROK_NETWORK_FAILED")
    assert (error.code, error.status, error.details["networkReason"]) == ("GROK_NETWORK_FAILED", 502, reason)
    assert "xAI" in error.text


async def test_silence_is_a_timeout() -> None:
    assert ima2.network_reason(await failing(b"", read=0.1)) == "timeout"


async def test_nobody_listening_is_a_refusal() -> None:
    http = Http({})
    with pytest.raises(httpx.ConnectError) as caught:
        await http().get("http://127.0.0.1:1/")
    await http.close()
    assert "nothing accepts connections" in ima2.network_error(caught.value).text


async def test_an_address_that_is_none_is_said_to_be_none() -> None:
    http = Http({})
    with pytest.raises(httpx.UnsupportedProtocol) as caught:
        await http().get("api.example/v1")
    await http.close()
    assert ima2.network_reason(caught.value) == "address"


def test_redirects_and_errors_that_are_clear_already_have_sentences_too() -> None:
    assert "redirect" in ima2.redirect_error(service="xAI").text
    known = ima2.Ima2Error("X", 400, "x")
    assert ima2.network_error(known) is known
    assert ima2.network_reason(ConnectionResetError()) == "broken"
    assert ima2.network_reason(RuntimeError()) == "network"
