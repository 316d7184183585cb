"""The guarded download: where it goes, and what it brings."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from tests.upstreams.tls import Secure, https, refusing_proxy
from tests.upstreams.world import picture

from ima2 import FetchError, FetchLimits
from ima2.network import addresses
from ima2.network.http import Http


def names(monkeypatch: pytest.MonkeyPatch, *found: str) -> list[str]:
    """Let every name resolve to these addresses; the list fills with the names asked for."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        if not found:
            raise OSError("unknown name")
        return found

    monkeypatch.setattr(addresses, "resolve", resolve)
    return asked


@pytest.mark.parametrize(
    "url",
    [
        "http://media.example/x.jpeg",
        "https://127.0.0.1/x.jpeg",
        "https://2130706433/x.jpeg",
        "https://0x7f.1/x.jpeg",
        "https://[::1]/x.jpeg",
        "https://[::ffff:10.0.0.1]/x.jpeg",
        "https://[::7f00:1]/x.jpeg",
        "https://[64:ff9b::7f00:1]/x.jpeg",
        "https://[64:ff9b::808:808]/x.jpeg",
        "https://[64:ff9b:1::1]/x.jpeg",
        "https://[2002:7f00:1::]/x.jpeg",
        "https://[2002:808:808::]/x.jpeg",
        "https://[fec0::1]/x.jpeg",
        "https://[fe80::1%25eth0]/x.jpeg",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/x",
        "https://224.0.0.1/x",
        "https://240.0.0.1/x",
        "https://localhost/x.jpeg",
        "https://localhost./x.jpeg",
        "https://user:pass@media.example/x.jpeg",
        "file:///etc/passwd",
        "ftp://media.example/x.jpeg",
        "https:///x.jpeg",
        "https://[::1/x",
        "not a url",
        "",
    ],
)
@pytest.mark.parametrize("environ", [{}, {"ALL_PROXY": "http://127.0.0.1:1"}], ids=["direct", "proxied"])
async def test_addresses_that_are_not_public_are_never_connected_to(url: str, environ: dict[str, str]) -> None:
    http = Http(environ)
    try:
        with pytest.raises(FetchError) as caught:
            await http.fetch(url)
    finally:
        await http.close()
    assert caught.value.code == "FETCH_ADDRESS_REFUSED"
    assert "example" not in caught.value.text


@pytest.mark.parametrize("environ", [{}, {"ALL_PROXY": "http://127.0.0.1:1"}, {"HTTPS_PROXY": "socks5://127.0.0.1:1"}])
@pytest.mark.parametrize("found", [["127.0.0.1"], ["1.1.1.1", "192.168.1.1"], ["64:ff9b::a00:1"], ["::ffff:7f00:1"]])
async def test_a_name_that_leads_to_a_private_address_is_refused_with_and_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], found: list[str]
) -> None:
    names(monkeypatch, *found)
    http = Http(environ)
    with pytest.raises(FetchError, match="not public"):
        await http.fetch("https://media.example/x")
    assert http._client is None, "nothing was sent"


def test_public_addresses_are_told_from_others() -> None:
    assert all(addresses.is_public(one) for one in ("1.1.1.1", "2606:4700::1111"))
    others = (
        "10.0.0.1 127.0.0.1 0.0.0.0 169.254.1.1 100.64.0.1 224.0.0.1 255.255.255.255 ::1 :: fe80::1 fc00::1 fec0::1 "
        "::ffff:127.0.0.1 ::ffff:8.8.8.8 ::8.8.8.8 2002:7f00:1:: 2002:808:808:: 2001::1 64:ff9b::8.8.8.8 ff02::1"
    )
    assert not [one for one in others.split() if addresses.is_public(one)]


def test_a_network_without_ipv4_reaches_public_servers_below_its_own_prefix() -> None:
    assert addresses.may_connect("64:ff9b::808:808")
    assert not addresses.may_connect("64:ff9b::a00:1")


async def test_behind_a_proxy_a_name_that_only_the_proxy_knows_is_asked_for_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names(monkeypatch)
    async with refusing_proxy() as proxy:
        http = Http({"ALL_PROXY": proxy.url})
        with pytest.raises(FetchError, match="proxy"):
            await http.fetch("https://media.example/x")
        await http.close()
        assert proxy.asked == ["CONNECT media.example:443 HTTP/1.1"]


# -- what it brings ----------------------------------------------------------------------------


class Shelf:
    """What the media server has; ``hosts`` are the names it was asked by."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.app = Starlette(
            routes=[
                Route("/x", self.file),
                Route("/bomb", self.bomb),
                Route("/empty", self.empty),
                Route("/missing", self.missing),
                Route("/inside", self.inside),
                Route("/again", self.again),
                Route("/plain", self.plain),
            ]
        )

    async def file(self, request: Request) -> Response:
        self.hosts.append(request.headers["host"])
        return Response(picture(fmt="JPEG"), media_type="binary/octet-stream")

    async def bomb(self, request: Request) -> Response:
        return Response(gzip.compress(b"0" * 5_000_000), headers={"content-encoding": "gzip"})

    async def empty(self, request: Request) -> Response:
        return Response(b"")

    async def missing(self, request: Request) -> Response:
        return Response(status_code=404)

    async def inside(self, request: Request) -> Response:
        return RedirectResponse("https://169.254.169.254/latest/meta-data")

    async def again(self, request: Request) -> Response:
        return RedirectResponse("/again")

    async def plain(self, request: Request) -> Response:
        return RedirectResponse("http://media.example/x")


@asynccontextmanager
async def shelf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Shelf, Secure, Http, list[str]]]:
    """A media server that every name leads to."""
    asked = names(monkeypatch, "127.0.0.1")
    monkeypatch.setattr(addresses, "may_connect", lambda _: True)
    kept = Shelf()
    async with https(folder, kept.app, "media.example") as server:
        http = Http({"SSL_CERT_FILE": str(server.authority)})
        try:
            yield kept, server, http, asked
        finally:
            await http.close()


async def test_the_connection_goes_to_the_checked_address_and_the_certificate_to_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shelf(tmp_path, monkeypatch) as (kept, server, http, asked):
        found = await http.fetch(f"https://media.example:{server.port}/x")
        assert (found.data, found.media_type) == (picture(fmt="JPEG"), "image/jpeg")
        assert (asked, kept.hosts) == (["media.example"], [f"media.example:{server.port}"])
        with pytest.raises(FetchError, match="certificate") as caught:
            await http.fetch(f"https://other.example:{server.port}/x")
        assert not caught.value.transient


@pytest.mark.parametrize(
    ("path", "limits", "code"),
    [
        ("/x", FetchLimits(max_bytes=10), "FETCH_TOO_LARGE"),
        ("/bomb", FetchLimits(max_bytes=1_000_000), "FETCH_TOO_LARGE"),
        ("/x", FetchLimits(media_types=("video/mp4",)), "FETCH_MEDIA_TYPE"),
        ("/empty", FetchLimits(), "FETCH_FAILED"),
        ("/missing", FetchLimits(), "FETCH_FAILED"),
        ("/again", FetchLimits(), "FETCH_FAILED"),
        ("/inside", FetchLimits(), "FETCH_ADDRESS_REFUSED"),
        ("/plain", FetchLimits(), "FETCH_ADDRESS_REFUSED"),
        ("/x", FetchLimits(seconds=0.0), "FETCH_TIMEOUT"),
    ],
)
async def test_what_breaks_a_limit_has_its_own_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, limits: FetchLimits, code: str
) -> None:
    async with shelf(tmp_path, monkeypatch) as (_, server, http, _asked):
        with pytest.raises(FetchError) as caught:
            await http.fetch(f"https://media.example:{server.port}{path}", limits)
    assert caught.value.code == code
    assert caught.value.http_status == (404 if path == "/missing" else 0)


async def test_what_the_users_own_configuration_names_need_not_be_public_or_encrypted(tmp_path: Path) -> None:
    from tests.unit.network.test_http import answering

    http = Http({})
    async with answering(picture()) as url:
        found = await http.fetch(f"{url}?x=1", FetchLimits(trusted=(f"{url}v1",)))
        assert found.media_type == "image/png"
        with pytest.raises(FetchError, match="not https"):
            await http.fetch(url, FetchLimits(trusted=("http://127.0.0.1:1/v1",)))
    await http.close()
