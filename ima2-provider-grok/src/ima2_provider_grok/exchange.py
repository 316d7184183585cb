"""One JSON request to xAI and its answer, whole, within its size and in bounded time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ima2 import Ima2Error, Json, Usage, read_limited
from ima2_provider_grok import failures
from ima2_provider_grok.failures import Stage
from ima2_provider_grok.transport import Connection

if TYPE_CHECKING:
    import httpx

TICKS_PER_DOLLAR = 10_000_000_000
_CONNECT_SECONDS = 10.0
_SMALL = 64 << 10
"""Answers up to this many bytes are parsed where they are read; larger ones in a thread."""


class Exchange:
    """Talks JSON over a `Connection`. What is billed is sent exactly once, whatever becomes of it.

    ``before_order`` is called before the first billed request of a job, so that the job is known to cost something
    from there on.
    """

    def __init__(
        self,
        http: Callable[[], httpx.AsyncClient],
        connection: Connection,
        before_order: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._http = http
        self.connection = connection
        self._before_order = before_order
        self._marking = asyncio.Lock()

    async def order(self, stage: Stage, path: str, body: Json, seconds: float) -> dict[str, Json]:
        """POST something that costs money: once, without any second attempt. ``seconds`` bounds the whole exchange."""
        headers = await self.connection.headers()  # what can fail for free comes before the mark
        async with self._marking:  # candidates that start at once all wait for the mark
            if self._before_order is not None:
                await self._before_order()
                self._before_order = None
        return await self._bounded(stage, "POST", path, body, seconds, headers)

    async def ask(self, stage: Stage, path: str, seconds: float) -> dict[str, Json]:
        """GET something. A 401 is asked once more when the credential could be renewed."""
        return await self._bounded(stage, "GET", path, None, seconds, None)

    async def _bounded(
        self, stage: Stage, method: str, path: str, body: Json, seconds: float, headers: dict[str, str] | None
    ) -> dict[str, Json]:
        if seconds <= 0:
            raise failures.timeout_error(stage, 0)
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(stage, method, path, body, headers)
        except TimeoutError:
            raise failures.timeout_error(stage, seconds) from None

    async def _answer(
        self, stage: Stage, method: str, path: str, body: Json, given: dict[str, str] | None
    ) -> dict[str, Json]:
        headers = await self.connection.headers() if given is None else given
        response, data = await self._send(stage, method, path, body, headers)
        if response.status_code == 401 and await self.connection.replace(headers) and given is None:
            response, data = await self._send(stage, method, path, body, await self.connection.headers())
        answer = _decoded(data) if len(data) <= _SMALL else await asyncio.to_thread(_decoded, data)
        hint = self.connection.login_hint
        if not response.is_success:
            raise failures.refusal(stage, response.status_code, answer, response.headers, hint)
        if not isinstance(answer, dict):
            raise failures.format_error(stage)
        if stage is not failures.VIDEO_POLL and (error := failures.error_in_success(stage, answer, hint)):
            raise error
        return answer

    async def _send(
        self, stage: Stage, method: str, path: str, body: Json, headers: dict[str, str]
    ) -> tuple[httpx.Response, bytes]:
        """The response and its body, read as it comes and no further than the stage allows."""
        import httpx

        request = self._http().build_request(
            method,
            f"{self.connection.base_url}/{path}",
            headers={"accept": "application/json", "content-type": "application/json", **headers},
            content=None if body is None else await asyncio.to_thread(_encoded, body),
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
        )
        try:
            response = await self._http().send(request, stream=True, follow_redirects=False)
            try:
                return response, await _body(response, stage)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise failures.connection_error(stage, error) from None


async def _body(response: httpx.Response, stage: Stage) -> bytes:
    """What an answer holds once it is decompressed; one that goes on beyond the stage's limit is given up."""
    try:
        return await read_limited(response, stage.most)
    except Ima2Error:
        raise failures.size_error(stage) from None


def _encoded(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _decoded(data: bytes) -> Json:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def ticks(answer: Json) -> int | None:
    """What an answer says it cost, in xAI's ticks (10,000,000,000 to the dollar)."""
    usage = answer.get("usage") if isinstance(answer, dict) else None
    value = usage.get("cost_in_usd_ticks") if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def dollars(value: int | None) -> float | None:
    """Ticks as US dollars."""
    return None if value is None else value / TICKS_PER_DOLLAR


def usage(answer: Json, index: int | None = None) -> Usage | None:
    """The `Usage` of picture ``index`` or of a clip, if its answer states one."""
    cost = ticks(answer)
    return None if cost is None else Usage({"grok_cost_usd_ticks": cost}, cost=dollars(cost), index=index)
