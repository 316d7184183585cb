"""HTTP with one server: bounded in time and size, sent once, its failures sorted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from ima2 import Ima2Error, read_json_limited, read_limited, redirect_error
from ima2_plugins.openai_compatible import failures
from ima2_plugins.openai_compatible.settings import Server

if TYPE_CHECKING:
    import httpx

_SMALL_BYTES = 4 * 2**20
"""Far more than any list of models or error has."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and the JSON of a small answer; ``None`` where it is none."""

    status: int
    value: Any


class Connection:
    """A server as it is set now. ``models`` are named where one is not served."""

    def __init__(
        self, server: Server, title: str, http: Callable[[], httpx.AsyncClient], models: tuple[str, ...] = ()
    ) -> None:
        self.server, self.title, self._http, self._models = server, title, http, models

    def headers(self) -> dict[str, str]:
        """The header that carries the key, if there is one."""
        key = self.server.key()
        return {"authorization": f"Bearer {key}"} if key else {}

    async def post(self, path: str, seconds: float, **content: Any) -> dict[str, Any]:
        """The JSON object that a call is answered with. ``content`` is what httpx takes. Raises `Ima2Error`."""
        if isinstance(body := content.pop("json", None), dict):
            content["content"] = await asyncio.to_thread(orjson.dumps, body)
            content["headers"] = {"content-type": "application/json"}
        async with self._answer("POST", path, seconds, paid=not self.server.free, **content) as response:
            if not response.is_success:
                raise await self._failure(response)
            try:
                value = await read_json_limited(response, self.server.max_answer_mb * 2**20)
            except ValueError:
                raise failures.unreadable(self.title) from None
        if not isinstance(value, dict):
            raise failures.unreadable(self.title)
        if isinstance(value.get("error"), dict | str) and not (value.get("data") or value.get("choices")):
            raise self._sorted(400, value)  # some gateways tell of failures with status 200
        return value

    async def look(self, path: str, seconds: float) -> Reply | None:
        """The reply to a small question that costs nothing; ``None`` when none came in time."""
        import httpx

        try:
            async with (
                asyncio.timeout(seconds),
                self._http().stream(
                    "GET", f"{self.server.base_url}{path}", headers=self.headers(), timeout=seconds
                ) as response,
            ):
                try:
                    value = await read_json_limited(response, _SMALL_BYTES)
                except (ValueError, Ima2Error):
                    value = None
                return Reply(response.status_code, value)
        except (httpx.HTTPError, TimeoutError):
            return None

    async def file(self, url: str, seconds: float) -> bytes:
        """A file that lies on the server itself, asked for with its key. Raises `Ima2Error`."""
        async with self._answer("GET", url, seconds, paid=False) as response:
            if not response.is_success:
                raise await self._failure(response)
            return await read_limited(response, self.server.max_answer_mb * 2**20)

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        seconds: float,
        *,
        paid: bool,
        headers: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> AsyncIterator[httpx.Response]:
        import httpx

        url = path if "://" in path else f"{self.server.base_url}{path}"
        timeout = httpx.Timeout(seconds, connect=min(10.0, seconds))
        all_headers = {**self.headers(), **(headers or {})}
        started = time.monotonic()
        try:
            async with (
                asyncio.timeout(seconds),
                self._http().stream(
                    method, url, headers=all_headers, timeout=timeout, follow_redirects=False, **rest
                ) as response,
            ):
                yield response
        except httpx.ConnectTimeout as error:
            raise failures.unreached(error, self.title, paid=paid) from None
        except (TimeoutError, httpx.TimeoutException):
            raise failures.timed_out(self.title, time.monotonic() - started, paid=paid) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise failures.unreached(error, self.title, paid=paid) from None

    async def _failure(self, response: httpx.Response) -> Ima2Error:
        if 300 <= response.status_code < 400:
            return redirect_error(service=self.title)
        try:
            value = await read_json_limited(response, _SMALL_BYTES)
        except (ValueError, Ima2Error):
            value = None
        return self._sorted(response.status_code, value, failures.retry_after(response.headers))

    def _sorted(self, status: int, value: Any, wait: float | None = None) -> Ima2Error:
        return failures.failure(failures.read_trouble(status, value), self.title, wait=wait, models=self._models)
