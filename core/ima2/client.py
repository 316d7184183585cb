"""A Python client of a running server, for ima2's own command line and for anyone.

Importing it costs nothing; httpx is imported when a client is opened.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ima2.errors import Ima2Error
from ima2.event_stream import EventReader, StreamEvent
from ima2.version import VERSION

if TYPE_CHECKING:
    import httpx

ORDINARY_S, DOWNLOAD_S, CANCEL_S = 180.0, 180.0, 30.0
UNREACHABLE, LOST, TIMED_OUT = "SERVER_UNREACHABLE", "CONNECTION_LOST", "CLIENT_TIMEOUT"


class Client:
    """Talks to one running server::

        async with ima2.Client("http://127.0.0.1:3333") as client:
            answer = await client.generate("a lighthouse at dawn", n=2)

    ``base`` is its address, ``name`` what it writes into its log about the caller (``<name>/<version>``), ``token``
    what a server for other machines asks for (else ``IMA2_LAN_TOKEN``). Bodies and answers are JSON objects with the
    names of the HTTP interface. Limits are seconds for a whole exchange, not for each of its pieces. Environment
    proxies are left aside: the server is near, and what is sent is nobody else's business.

    Every failure is `Ima2Error`: the server's own refusal (its code, status and request id), ``SERVER_UNREACHABLE``,
    ``CONNECTION_LOST`` (it went away meanwhile; a job goes on), ``CLIENT_TIMEOUT`` or ``ANSWER_INVALID``. Nothing is
    sent twice.
    """

    in_process = False
    """Whether it asks no server but this very process, so that what it begins ends with it."""

    def __init__(self, base: str, *, name: str = "python", token: str | None = None) -> None:
        self.base = base.rstrip("/")
        self._name = name
        self._token = token
        self._http: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Client:
        import httpx

        headers = {b"X-ima2-client": f"{self._name}/{VERSION}".encode(), b"Content-Type": b"application/json"}
        token = (os.environ.get("IMA2_LAN_TOKEN", "") if self._token is None else self._token).strip()
        if token:
            headers[b"Authorization"] = f"Bearer {token}".encode()
        # Loading certificates takes longer than asking; an address without TLS needs none.
        verify = not self.base.startswith("http://")
        own = self.transport()
        self._http = httpx.AsyncClient(headers=headers, trust_env=False, timeout=None, verify=verify, transport=own)  # noqa: S113
        return self

    def transport(self) -> httpx.AsyncBaseTransport | None:
        """What carries the requests: ``None`` for the network."""
        return None

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def generate(self, prompt: str, *, limit: float = ORDINARY_S, **fields: Any) -> dict[str, Any]:
        """Have pictures made, and wait for them. ``fields`` are those of ``POST /api/generate``: ``n``, ``size``,
        ``provider``, ``requestId``, ... Returns its answer."""
        return await self.ask("POST", "/api/generate", body={**fields, "prompt": prompt}, limit=limit)

    async def jobs(self, *, ended: bool = False) -> dict[str, Any]:
        """The jobs in line and at work (``jobs``); with ``ended`` also those of the last minutes (``terminalJobs``)."""
        return await self.ask("GET", "/api/inflight", query={"includeTerminal": 1 if ended else None})

    async def cancel(self, request_id: str, *, limit: float = CANCEL_S) -> bool:
        """Stop a job. Returns whether there was one to stop."""
        answer = await self.ask("DELETE", f"/api/inflight/{quote(request_id, safe='')}", limit=limit)
        return bool(answer.get("active") or answer.get("aborted"))

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: float = ORDINARY_S,
    ) -> dict[str, Any]:
        """Send a request once and return the JSON object of its answer. Query values of ``None`` are left out. A
        ``body`` of bytes is sent as it is, with the ``Content-Type`` that ``headers`` give."""
        params = {name: value for name, value in (query or {}).items() if value is not None}
        plain = body is None or isinstance(body, bytes)
        content = body if plain else json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        response = await self._sent(method, path, limit, params=params, content=content, headers=headers)
        found = parse_json(response.content)
        if not response.is_success:
            raise refusal(response.status_code, found, response.headers.get("retry-after"))
        if not isinstance(found, dict):
            raise Ima2Error("ANSWER_INVALID", 0, f"{self.base} answered with something that is not an ima2 answer.")
        return found

    async def stream(
        self,
        path: str,
        *,
        body: Mapping[str, Any],
        handle: Callable[[StreamEvent], bool],
        headers: Mapping[str, str] | None = None,
        limit: float = ORDINARY_S,
    ) -> None:
        """Post once and hand every event of the answer to ``handle`` until that returns true.

        ``limit`` is for the whole stream: heartbeats do not extend it.
        """
        assert self._http is not None, "the client is not open"
        frames, content = EventReader(), json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        headers = {"Accept": "text/event-stream", **(headers or {})}
        with self._failures(limit):
            async with (
                asyncio.timeout(limit),
                self._http.stream("POST", f"{self.base}{path}", content=content, headers=headers) as response,
            ):
                if not response.is_success:
                    wait = response.headers.get("retry-after")
                    raise refusal(response.status_code, parse_json(await response.aread()), wait)
                async for chunk in response.aiter_bytes():
                    for event in frames.feed(chunk):
                        if handle(event):
                            return

    async def download(self, path: str, limit: float = DOWNLOAD_S) -> bytes:
        """The bytes at a path of the server."""
        response = await self._sent("GET", path, limit)
        if not response.is_success:
            raise refusal(response.status_code, parse_json(response.content), None)
        return response.content

    async def _sent(self, method: str, path: str, limit: float, **more: Any) -> httpx.Response:
        assert self._http is not None, "the client is not open"
        with self._failures(limit):
            async with asyncio.timeout(limit):
                return await self._http.request(method, f"{self.base}{path}", **more)

    @contextmanager
    def _failures(self, limit: float) -> Iterator[None]:
        """What can go wrong on the way, as `Ima2Error`."""
        import httpx

        try:
            yield
        except TimeoutError:
            raise Ima2Error(TIMED_OUT, 0, f"{self.base} did not answer within {limit:g} s.") from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.ConnectError):
            raise unreachable(self.base) from None
        except httpx.HTTPError:
            raise Ima2Error(LOST, 0, f"The connection to {self.base} broke before the answer came.") from None


def unreachable(base: str) -> Ima2Error:
    """Nobody answers at an address, or it is no address."""
    web = base.startswith(("http://", "https://"))
    reason = f"No ima2 server answers at {base}." if web else f"{base} is not an address: begin it with http://."
    return Ima2Error(UNREACHABLE, 0, reason)


def parse_json(content: bytes) -> Any:
    """JSON, or ``None`` for anything else."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def refusal(status: int, body: Any, retry_after: str | None) -> Ima2Error:
    """The error of an answer that is no success, in any of the three shapes that servers use."""
    fields = body if isinstance(body, dict) else {}
    inner = fields.get("error")
    nested = inner if isinstance(inner, dict) else {}
    texts = (inner, nested.get("message"), fields.get("message"))
    unsaid = f"HTTP {status}" if status else "The job failed, and the server did not say why."
    text = next((one for one in texts if isinstance(one, str) and one), unsaid)
    codes = (fields.get("code"), nested.get("code"))
    code = next((one for one in codes if isinstance(one, str) and one), f"HTTP_{status}" if status else "JOB_FAILED")
    details = {name: fields[name] for name in ("requestId", "guidance") if isinstance(fields.get(name), str)}
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    return Ima2Error(code, status, text, retry_after=seconds, details=details)
