"""An https server on loopback with an authority of its own, and a proxy that only writes down what it was asked."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.types import ASGIApp

from tests.upstreams.raw import raw_server


@dataclass
class Secure:
    """Where the server is, and the file of its authority."""

    port: int
    authority: Path


@asynccontextmanager
async def https(folder: Path, app: ASGIApp, *names: str) -> AsyncIterator[Secure]:
    """Serve ``app`` with a certificate for ``names``."""
    certificate, key = folder / "authority.pem", folder / "key.pem"
    write_certificate(certificate, key, names)
    config = uvicorn.Config(
        app,
        port=0,
        lifespan="off",
        log_level="critical",
        ssl_certfile=str(certificate),
        ssl_keyfile=str(key),
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield Secure(server.servers[0].sockets[0].getsockname()[1], certificate)
    finally:
        server.should_exit = True
        await task


def write_certificate(certificate: Path, key: Path, names: tuple[str, ...]) -> None:
    """A certificate that vouches for itself and for ``names``, and its key, as PEM files."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, plain))


@dataclass
class RefusingProxy:
    """A proxy that says 403 to everyone. ``asked`` holds the first line of each request."""

    port: int
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address as a proxy variable has it."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def refusing_proxy() -> AsyncIterator[RefusingProxy]:
    """Run one."""
    proxy = RefusingProxy(0)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        proxy.asked.append((await reader.read(1024)).decode("latin-1").partition("\r\n")[0])
        writer.write(b"HTTP/1.1 403 no\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()

    async with raw_server(answer) as proxy.port:
        yield proxy
