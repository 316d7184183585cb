"""Downloads: what is fetched, and what is not."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.upstreams.asking import KITE, draw, failure, only
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_grok.downloads import DownloadError, Downloads, is_public


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ima2_provider_grok.fetching.LATE_SECONDS", 1.5)


@pytest.mark.parametrize("kind", ["notype", "mismatch", "redirect", "broken503", "late"])
async def test_a_picture_arrives_whatever_it_is_called(api: Any, kind: str) -> None:
    made = only(await draw(api(), f"{KITE} media:{kind}"), ima2.Artifact)
    assert made.picture.media_type == "image/jpeg"


async def test_an_address_that_stays_unknown_is_given_up_after_a_while_and_named(api: Any, world: World) -> None:
    error = await failure(api(), f"{KITE} media:missing")
    assert (error.code, error.status) == ("GROK_IMAGE_DOWNLOAD_FAILED", 502)
    assert len(world.calls("xai-media")) >= 3
    assert error.details["providerUrl"] == f"{world.base_url}/xai-media/missing/1.jpeg"
    assert "Try again" not in error.text


async def test_a_file_that_ends_early_is_asked_for_again_and_then_is_no_picture(api: Any, world: World) -> None:
    error = await failure(api(), f"{KITE} media:half")
    assert isinstance(error, ima2.MediaError)
    assert (error.code, error.status) == ("PICTURE_INCOMPLETE", 502)
    assert error.data == picture(fmt="JPEG", seed=1)[:-40]
    assert len(world.calls("xai-media")) == 4


@pytest.mark.parametrize("kind", ["html", "blank", "private", "elsewhere", "loop", "announced", "streamed"])
async def test_what_is_no_picture_or_not_allowed_is_one_error(api: Any, world: World, kind: str) -> None:
    error = await failure(api(), f"{KITE} media:{kind}")
    assert (error.code, error.status) == ("GROK_IMAGE_DOWNLOAD_FAILED", 502)
    assert len(world.calls("xai-media")) == (4 if kind == "loop" else 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x.jpeg",
        "http://media.example/x.jpeg",
        "https://127.0.0.1/x.jpeg",
        "https://[::1]/x.jpeg",
        "https://[::ffff:10.0.0.1]/x.jpeg",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/x.jpeg",
        "https://user:pass@media.example/x.jpeg",
        "file:///etc/passwd",
        "ftp://media.example/x.jpeg",
        "https:///x.jpeg",
        "not a url",
    ],
)
async def test_addresses_that_are_not_public_are_never_connected_to(http: httpx.AsyncClient, url: str) -> None:
    with pytest.raises(DownloadError):
        await Downloads(lambda: http, "http://127.0.0.1:9/v1").fetch(url, 1000)


async def test_a_name_that_leads_to_a_private_address_is_refused(http: httpx.AsyncClient) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1", "192.168.1.1"]

    with pytest.raises(DownloadError, match="not public"):
        await Downloads(lambda: http, "https://api.x.ai/v1", resolve=resolve).fetch("https://media.example/x", 1000)


async def test_plain_http_is_refused_when_the_api_itself_is_not_on_this_machine(
    world: World, http: httpx.AsyncClient
) -> None:
    with pytest.raises(DownloadError, match="plain http"):
        await Downloads(lambda: http, "https://api.x.ai/v1").fetch(f"{world.base_url}/xai-media/ok/1.jpeg", 1000)
    assert not world.seen


def test_public_addresses_are_told_from_others() -> None:
    assert all(is_public(one) for one in ("1.1.1.1", "2606:4700::1111"))
    others = (
        "10.0.0.1 127.0.0.1 0.0.0.0 169.254.1.1 100.64.0.1 224.0.0.1 ::1 fe80::1 fc00::1 ::ffff:127.0.0.1 2002:7f00:1::"
    )
    assert not any(is_public(one) for one in others.split())


async def test_the_connection_goes_to_the_checked_address_and_the_certificate_to_the_name(tmp_path: Path) -> None:
    """A name is resolved once; the certificate must be the name's, although the address is connected to."""
    async with _tls_server(tmp_path, "media.example") as (port, authority, hosts):
        context = ssl.create_default_context(cafile=str(authority))
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            asked: list[str] = []

            async def resolve(host: str, port: int) -> list[str]:
                asked.append(host)
                return ["127.0.0.1"]

            downloads = Downloads(lambda: client, "https://api.x.ai/v1", resolve=resolve, allowed=lambda _: True)
            found = await downloads.fetch(f"https://media.example:{port}/x.jpeg", 1_000_000)
            assert found.data == picture(fmt="JPEG")
            assert (asked, hosts) == (["media.example"], [f"media.example:{port}"])
            with pytest.raises(DownloadError, match="ConnectError"):
                await downloads.fetch(f"https://other.example:{port}/x.jpeg", 1_000_000)


class _tls_server:  # noqa: N801 (reads as a function)
    """An https server on loopback with a certificate for one name; remembers the Host of each request."""

    def __init__(self, folder: Path, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.authority = folder / "authority.pem"
        self.authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self._key = folder / "key.pem"
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        self._key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        self._hosts: list[str] = []

    async def __aenter__(self) -> tuple[int, Path, list[str]]:
        import asyncio

        async def file(request: Request) -> Response:
            self._hosts.append(request.headers["host"])
            return Response(picture(fmt="JPEG"), media_type="image/jpeg")

        config = uvicorn.Config(
            Starlette(routes=[Route("/x.jpeg", file)]),
            port=0,
            lifespan="off",
            log_level="critical",
            ssl_certfile=str(self.authority),
            ssl_keyfile=str(self._key),
        )
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
        return self._server.servers[0].sockets[0].getsockname()[1], self.authority, self._hosts

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._task
