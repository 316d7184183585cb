"""Where a browser comes back to after signing in: one page on this machine, for one login.

The address is fixed by the client's registration with xAI (RFC 8252, 7.3). Only a visit that brings the ``state`` of
this login counts; anything else on that port is answered and forgotten.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from ima2 import Ima2Error

HOST, PATH = "127.0.0.1", "/callback"
_HEAD_BYTES, _HEAD_SECONDS = 16_384, 10.0
_PAGE = (
    "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-security-policy: default-src 'none'\r\n"
    "cache-control: no-store\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{text}"
)


class Callback:
    """The page, there while the block lasts: ``async with Callback(port, state) as page: await page.code()``."""

    def __init__(self, port: int, state: str) -> None:
        self._port, self._state = port, state
        self._code: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(self._visit, HOST, self._port, limit=_HEAD_BYTES)
        except OSError:
            text = (
                f"Port {self._port} is taken, and the browser has to come back there. End what uses it, or sign in "
                "with a code: `ima2 grok login --device`."
            )
            raise Ima2Error("GROK_LOGIN_PORT_TAKEN", 409, text) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._code.cancel()
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 2)

    async def code(self, seconds: float) -> str:
        """The authorization code, once the browser brings it. Raises 401 when the login was declined or ran out."""
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self._code)
        except TimeoutError:
            text = "The login was not finished in time. Begin again."
            raise Ima2Error("GROK_AUTH_FAILED", 401, text, upstream_code="expired_token") from None

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status, text = "400 Bad Request", "This is no answer to a login that is under way."
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            status, text = self._answer(head.split(b"\r\n", 1)[0].decode("latin-1"))
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        with contextlib.suppress(ConnectionError):
            body = f"<!doctype html><title>ima2</title><p>{text}</p>"
            writer.write(_PAGE.format(status=status, length=len(body.encode()), text=body).encode())
            await writer.drain()
            writer.close()

    def _answer(self, request_line: str) -> tuple[str, str]:
        method, _, rest = request_line.partition(" ")
        parts = urlsplit(rest.rpartition(" ")[0])
        if method != "GET" or parts.path != PATH:
            return "404 Not Found", "There is nothing here."
        query = parse_qs(parts.query)
        if not secrets.compare_digest(query.get("state", [""])[0].encode(), self._state.encode()):
            return "400 Bad Request", "This is no answer to a login that is under way."
        if self._code.done():
            return "200 OK", "This login is finished. You can close this page."
        code = query.get("code", [""])[0]
        if "error" in query or not code:
            text = "The login was declined in the browser."
            self._code.set_exception(Ima2Error("GROK_AUTH_FAILED", 401, text, upstream_code="access_denied"))
            return "200 OK", "The login was declined. You can close this page."
        self._code.set_result(code)
        return "200 OK", "ima2 has the answer and goes on by itself. You can close this page."
