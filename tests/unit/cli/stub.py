"""A server that records what it is asked and answers as it is told, over loopback."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


def png(shade: int = 0) -> bytes:
    """A whole PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixel = zlib.compress(bytes([0, shade]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(20)


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def event(name: str, **data: Any) -> bytes:
    """One event as it goes over the wire."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


Reply = Callable[[Asked], tuple[int, Any]]


@dataclass
class Stub:
    """Routes by ``"METHOD /path"``. An answer is a status and JSON, bytes, an iterator of pieces, or ``None`` to break
    the connection (also as a piece)."""

    url: str
    routes: dict[str, Reply] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)

    def on(self, route: str, answer: Any, status: int = 200) -> None:
        """Answer a route always the same; a function is called with the request."""
        self.routes[route] = answer if callable(answer) else lambda _: (status, answer)

    def asked(self, route: str) -> list[Asked]:
        """The requests of a route."""
        return [one for one in self.requests if f"{one.method} {one.path}" == route]

    @property
    def posted(self) -> Any:
        """The body of the one picture request."""
        (one,) = self.asked("POST /api/generate")
        return one.body


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def answer(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, json.loads(raw) if raw else None)
        self.stub.requests.append(asked)
        missing: Reply = lambda _: (404, {"error": {"code": "NOT_FOUND", "message": "no"}})  # noqa: E731
        route = self.stub.routes.get(f"{asked.method} {asked.path}", missing)
        status, value = route(asked)
        if value is None:
            self.break_off()
            return
        if isinstance(value, Iterator):
            self.stream(status, value)
            return
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, header in self.stub.headers.get(f"{asked.method} {asked.path}", {}).items():
            self.send_header(name, header)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, status: int, pieces: Iterator[bytes | None]) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                if piece is None:
                    self.break_off()
                    return
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

    def break_off(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: Any) -> None:
        """Silent."""


class QuietServer(ThreadingHTTPServer):
    """Says nothing when a client hangs up, which is what clients of streams do."""

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]
