"""Waiting for a browser to come back from a sign-in: a server for one address, on this machine only (RFC 8252)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from ima2 import Ima2Error

_PAGE = (
    "<!doctype html><meta charset=utf-8><title>ima2</title>"
    "<style>body{font:18px system-ui;margin:20vh auto;max-width:32em}</style><p>%s"
)
_WELCOME = "You are signed in. This window can be closed; ima2 goes on by itself."
_STRANGE = "This is not the sign-in that ima2 is waiting for."
_READ_SECONDS = 10.0
_MOST = 16_384


class Callback:
    """Listens at the first free one of ``ports`` (0: any) until the browser brings the answer with this ``state``."""

    def __init__(self, path: str, ports: Sequence[int], state: str) -> None:
        self._path = path
        self._ports = ports
        self._state = state
        self._servers: list[asyncio.Server] = []
        self._answer: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self.port = 0

    async def __aenter__(self) -> Self:
        for port in self._ports:
            with contextlib.suppress(OSError):
                server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=_MOST)
                self.port = server.sockets[0].getsockname()[1]
                self._servers.append(server)
                break
        else:
            ports = " and ".join(map(str, self._ports))
            text = f"The ports for signing in ({ports}) are in use on this machine. Sign in by code instead."
            raise Ima2Error("LOGIN_PORT_IN_USE", 409, text)
        with contextlib.suppress(OSError):  # browsers may take localhost for the other family
            self._servers.append(await asyncio.start_server(self._serve, "::1", self.port, limit=_MOST))
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        self._answer.cancel()

    async def answer(self, seconds: float) -> dict[str, str]:
        """The query the browser came back with. 408 ``LOGIN_EXPIRED`` when it does not come in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError:
            raise Ima2Error("LOGIN_EXPIRED", 408, "Nobody signed in in time. Begin again when you like.") from None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            status, text = self._take(head.split(b"\r\n", 1)[0].decode("ascii", "replace"))
            body = (_PAGE % text).encode()
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
                "cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n".encode()
            )
            writer.write(body)
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _take(self, line: str) -> tuple[str, str]:
        method, _, rest = line.partition(" ")
        address = urlsplit(rest.partition(" ")[0])
        query = dict(parse_qsl(address.query))
        if method != "GET" or address.path != self._path or query.get("state") != self._state:
            return "404 Not Found", _STRANGE
        if not self._answer.done():
            self._answer.set_result(query)
        return "200 OK", _WELCOME


def pasted_query(text: str, state: str) -> dict[str, str]:
    """The query of an address that a person pasted. 400 ``LOGIN_INVALID`` when it is not of this sign-in."""
    query = dict(parse_qsl(urlsplit(text.strip()).query))
    if query.get("state") != state:
        raise Ima2Error("LOGIN_INVALID", 400, "This is not the address that this sign-in ended at.")
    return query


def authorization_code(query: dict[str, str]) -> str:
    """The code of an answer. 403 ``LOGIN_DENIED`` where the service says no."""
    if not query.get("code"):
        raise Ima2Error("LOGIN_DENIED", 403, "The sign-in was refused.", upstream_code=query.get("error"))
    return query["code"]
