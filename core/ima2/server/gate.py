"""In front of every route: who may ask, by which name, and what every answer carries. Pure ASGI."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import unquote_to_bytes

from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ima2.errors import Ima2Error
from ima2.kernel.guard import origin
from ima2.logs import REQUEST_ID
from ima2.network.addresses import is_loopback
from ima2.server.replies import failure
from ima2.server.sessions import COOKIE, Sessions

log = logging.getLogger("ima2.http")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_QUIET = frozenset({"/api/health", "/api/inflight"})
_OPEN = frozenset({"/api/lan/login", "/lan", "/assets/lan.js", "/assets/page.css"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' data: blob:; connect-src 'self' data: blob:; font-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", _POLICY.encode()),
]


class Gate:
    """Checks Host, Origin and token, gives each request its id, and sets the headers all answers share.

    ``hosts`` are names beyond this machine's loopback ones that may be asked by, ``origins`` are pages elsewhere that
    may use the server as its own do. Whoever does not ask from this machine, or asks through a proxy, shows the token
    of ``sessions`` or a session.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        sessions: Sessions | None = None,
    ) -> None:
        self._app = app
        self._hosts = _LOCAL_NAMES | {host.lower() for host in hosts}
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        socket = scope["type"] != "http"
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = headers.get("x-request-id", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = f"req_{uuid.uuid4()}"
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST_ID.set(request_id)
        status = [0]
        wrapped = _with_headers(scope, send, request_id, status)
        started = time.perf_counter()
        try:
            _normalise(scope)
            self._admit(scope, headers)
        except Ima2Error as error:
            if socket:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
            refusal: Response = failure(error)
            if error.code == "TOKEN_REQUIRED" and "text/html" in headers.get("accept", ""):
                refusal = RedirectResponse("/lan", 303)
            await refusal(scope, receive, wrapped)
        else:
            await self._guarded(scope, receive, send if socket else wrapped, status)
        if not socket:
            _note(scope, headers, status[0], started)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, status: list[int]) -> None:
        """Whatever a route raises ends that request alone. An answer that had begun breaks off with the connection."""
        try:
            await self._app(scope, receive, send)
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise
        except BaseException as error:
            if not isinstance(error, Exception):
                log.error("%s on a path, at %s", type(error).__name__, origin(error))  # noqa: TRY400
            if scope["type"] == "http" and not status[0]:
                text = "Something went wrong inside; the server's log says where."
                await failure(Ima2Error("INTERNAL_ERROR", 500, text))(scope, receive, send)

    def _admit(self, scope: Scope, headers: dict[str, str]) -> None:
        host = _host_name(headers.get("host", ""))
        if host not in self._hosts and host != _own_address(scope):
            raise Ima2Error(
                "HOST_NOT_ALLOWED", 403, "This server does not answer to that name. IMA2_ALLOWED_HOSTS can add it."
            )
        if scope.get("method") not in {"GET", "HEAD", "OPTIONS"} or scope["path"] == "/api/events":
            self._check_origin(headers)
        if not is_local(scope, headers) and scope["path"] not in _OPEN:
            self._check_token(scope, headers)

    def _check_origin(self, headers: dict[str, str]) -> None:
        origin = headers.get("origin")
        foreign = headers.get("sec-fetch-site") == "cross-site"
        if origin is not None:
            foreign = origin.lower() not in self._origins and not _same_server(origin, headers.get("host", ""))
        if foreign:
            text = "Another web site may not use this server. IMA2_ALLOWED_ORIGINS can allow one."
            raise Ima2Error("ORIGIN_NOT_ALLOWED", 403, text)

    def _check_token(self, scope: Scope, headers: dict[str, str]) -> None:
        if self._sessions is None:
            if not any(name in headers for name in _PROXY_HEADERS):
                return
            text = "Requests through a proxy need a token: set IMA2_LAN_TOKEN and send it as a bearer token."
            raise Ima2Error("TOKEN_REQUIRED", 401, text)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self._sessions.check_token(token.strip(), address_of(scope))
        elif not self._sessions.knows(_cookie(headers.get("cookie", ""))):
            raise Ima2Error(
                "TOKEN_REQUIRED", 401, "This server asks for its token: send it as a bearer token, or sign in at /lan."
            )


def _with_headers(scope: Scope, send: Send, request_id: str, status: list[int]) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            status[0] = message["status"]
            headers = message.setdefault("headers", [])
            headers += _HEADERS
            if scope["path"].startswith("/api"):
                headers.append((b"x-request-id", request_id.encode()))
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store, max-age=0"))
        await send(message)

    return wrapped


def _normalise(scope: Scope) -> None:
    """Decode the path once, from its raw form; drop a trailing slash. 400 ``BAD_PATH`` for what cannot be decoded."""
    raw = scope.get("raw_path") or scope["path"].encode()
    try:
        path = unquote_to_bytes(raw.partition(b"?")[0]).decode()
    except UnicodeDecodeError:
        raise Ima2Error("BAD_PATH", 400, "The path is not UTF-8.") from None
    if "\x00" in path:
        raise Ima2Error("INVALID_FILENAME", 400, "The path holds a character that no name can have.")
    if re.search(rb"%(?![0-9A-Fa-f]{2})", raw.partition(b"?")[0]):
        raise Ima2Error("BAD_PATH", 400, "The path cannot be decoded.")
    if len(path) > 1 and path.endswith("/") and path.lower().startswith("/api/"):
        path = path.rstrip("/")
    scope["path"] = path


def _host_name(value: str) -> str:
    """The name in a Host header or network location, lower-case, without port and brackets."""
    if value.startswith("["):
        return value[1:].partition("]")[0].lower()
    return value.partition(":")[0].lower()


def _own_address(scope: Scope) -> str | None:
    """The address the connection came in on: asking by it is no trick with names."""
    server = scope.get("server")
    return str(server[0]).lower() if server and server[0] else None


def is_local(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from this machine itself: what a proxy hands on comes from wherever its caller is."""
    return not any(name in headers for name in _PROXY_HEADERS) and is_loopback(address_of(scope))


def address_of(scope: Scope) -> str:
    """The address a connection comes from; empty when it is not known."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _same_server(origin: str, host: str) -> bool:
    """Whether a page of that origin came from this server, by the name and port it is asked by now."""
    scheme, separator, netloc = origin.lower().partition("://")
    if not separator or not netloc or scheme not in ("http", "https"):
        return False
    usual = {"http": "80", "https": "443"}[scheme]
    name, port = _host_name(netloc), _port(netloc) or usual
    own, own_port = _host_name(host), _port(host) or usual
    return port == own_port and (name == own or {name, own} <= _LOCAL_NAMES)


def _port(netloc: str) -> str:
    return netloc.rpartition("]")[2].rpartition(":")[2] if ":" in netloc.rpartition("]")[2] else ""


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _note(scope: Scope, headers: dict[str, str], status: int, started: float) -> None:
    path = scope["path"]
    if path.lower().startswith("/api/") and path.lower() not in _QUIET and log.isEnabledFor(logging.INFO):
        shown = "".join(c if c.isprintable() else "?" for c in path[:120])
        client = re.sub(r"[^A-Za-z0-9./_-]", "?", headers.get("x-ima2-client", "ui"))[:40]
        took = round((time.perf_counter() - started) * 1000)
        log.info("%s %s status=%d durationMs=%d client=%s", scope["method"], shown, status, took, client)
