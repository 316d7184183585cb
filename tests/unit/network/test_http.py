"""The shared client: how it leaves this machine, whom it trusts, how much it takes back."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.upstreams.raw import raw_server
from tests.upstreams.tls import https, refusing_proxy

import ima2
from ima2.network.http import Http
from ima2.network.transport import MAX_BYTES

UNKNOWN = "https://api.corp.invalid/v1"


async def hello(request: Request) -> Response:
    return PlainTextResponse(request.headers["user-agent"])


PLAIN = Starlette(routes=[Route("/", hello)])


@asynccontextmanager
async def door(**environ: str) -> AsyncIterator[Http]:
    http = Http(environ)
    try:
        yield http
    finally:
        await http.close()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_the_proxy_of_the_environment_is_asked(name: str) -> None:
    async with refusing_proxy() as proxy, door(**{name: proxy.url}) as http:
        with pytest.raises(httpx.ProxyError) as caught:
            await http().get(UNKNOWN)
        assert proxy.asked == ["CONNECT api.corp.invalid:443 HTTP/1.1"]
    assert "proxy" in ima2.network_error(caught.value, service="OpenAI").text


async def test_a_host_of_no_proxy_is_not_asked_for_there() -> None:
    async with refusing_proxy() as proxy, door(HTTPS_PROXY=proxy.url, NO_PROXY=".corp.invalid") as http:
        with pytest.raises(httpx.ConnectError) as caught:
            await http().get(UNKNOWN)
        assert proxy.asked == []
    assert ima2.network_reason(caught.value) == "dns"


async def test_an_unusable_proxy_is_an_error_of_its_own() -> None:
    async with door(HTTPS_PROXY="gopher://h:1") as http:
        with pytest.raises(ima2.Ima2Error, match="HTTPS_PROXY holds no proxy"):
            await http().get(UNKNOWN)


@pytest.mark.parametrize("scheme", ["socks5", "socks"])
async def test_where_no_socks_proxy_answers_the_proxy_is_named_as_the_reason(scheme: str) -> None:
    async with refusing_proxy() as proxy, door(ALL_PROXY=proxy.url.replace("http", scheme)) as http:
        with pytest.raises(httpx.ProxyError):
            await http().get(UNKNOWN, timeout=httpx.Timeout(None, connect=0.2))


async def test_a_socks_proxy_that_never_greets_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side has closed

    async with raw_server(silent) as port, door(ALL_PROXY=f"socks5://127.0.0.1:{port}") as http:
        with pytest.raises(httpx.ProxyError):
            await http().get(UNKNOWN, timeout=httpx.Timeout(None, connect=0.2))


async def test_only_authorities_that_are_named_are_trusted(tmp_path: Path) -> None:
    async with https(tmp_path, PLAIN, "localhost") as server:
        url = f"https://localhost:{server.port}/"
        async with door() as http:
            with pytest.raises(httpx.ConnectError) as caught:
                await http().get(url)
        error = ima2.network_error(caught.value, service="OpenAI", code="NETWORK_FAILED")
        assert "certificate is not trusted" in error.text
        assert error.details == {"networkReason": "certificate"}
        async with door(SSL_CERT_FILE=str(server.authority)) as http:
            assert (await http().get(url)).text.startswith("ima2/")


async def test_a_folder_of_authorities_is_trusted_too(tmp_path: Path) -> None:
    async with https(tmp_path, PLAIN, "localhost") as server:
        folder = tmp_path / "authorities"
        folder.mkdir()
        (folder / f"{subject_hash(server.authority)}.0").write_bytes(server.authority.read_bytes())
        async with door(SSL_CERT_DIR=str(folder)) as http:
            assert (await http().get(f"https://localhost:{server.port}/")).status_code == 200


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_an_unusable_file_of_authorities_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    async with door(SSL_CERT_FILE=str(file)) as http:
        with pytest.raises(ima2.Ima2Error, match="SSL_CERT_FILE") as caught:
            await http().get("https://127.0.0.1:1/")
    assert caught.value.code == "CERTIFICATES_INVALID"


# -- how much comes back -----------------------------------------------------------------------


@asynccontextmanager
async def answering(body: bytes, **headers: str) -> AsyncIterator[str]:
    """A server whose every answer is ``body``."""

    async def answer(_: Request) -> Response:
        return Response(body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    config = uvicorn.Config(Starlette(routes=[Route("/", answer)]), port=0, lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
async def test_a_packed_answer_is_unpacked(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    body = b'{"words": "' + b"wind " * 300_000 + b'"}'
    async with answering(pack(body), content_encoding=encoding) as url, door() as http:
        assert (await http().get(url)).content == body


async def test_the_limit_counts_what_a_packed_answer_becomes() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 60_000
    async with answering(bomb, content_encoding="gzip") as url, door() as http:
        async with http().stream("GET", url) as response:
            with pytest.raises(ima2.Ima2Error) as caught:
                await ima2.read_limited(response, 1_000_000)
        assert (caught.value.code, caught.value.status) == ("RESPONSE_TOO_LARGE", 502)
        with pytest.raises(ima2.Ima2Error):
            await http().get(url, extensions={MAX_BYTES: 1_000_000})


async def test_a_way_of_packing_that_was_not_asked_for_is_refused() -> None:
    packed = gzip.compress(gzip.compress(b"0" * 1000))
    async with answering(packed, content_encoding="gzip, gzip") as url, door() as http:
        with pytest.raises(httpx.DecodingError):
            await http().get(url)


async def test_an_answer_that_says_it_is_too_large_is_not_read() -> None:
    async with answering(b"x" * 5000) as url, door() as http, http().stream("GET", url) as response:
        with pytest.raises(ima2.Ima2Error, match="larger than 100 bytes"):
            await ima2.read_limited(response, 100)
        assert not response.is_stream_consumed


@pytest.mark.parametrize("count", [3, 300_000])
async def test_json_is_read_within_its_limit(count: int) -> None:
    value: dict[str, Any] = {"numbers": list(range(count))}
    async with answering(orjson.dumps(value)) as url, door() as http, http().stream("GET", url) as response:
        assert await ima2.read_json_limited(response, 10_000_000) == value
    async with answering(b"<html>") as url, door() as http, http().stream("GET", url) as response:
        with pytest.raises(ValueError, match="unexpected"):
            await ima2.read_json_limited(response, 100)


def subject_hash(file: Path) -> str:
    """The name under which OpenSSL looks for a certificate in a folder."""
    found = subprocess.run(
        ["openssl", "x509", "-noout", "-subject_hash", "-in", str(file)], check=True, capture_output=True, text=True
    )
    return found.stdout.strip()
