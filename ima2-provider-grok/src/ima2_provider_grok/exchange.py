"""One JSON request to xAI and its answer, whole and in bounded time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from ima2 import Ima2Error, Json, Usage
from ima2_provider_grok import failures
from ima2_provider_grok.failures import Stage
from ima2_provider_grok.lanes import Connection

if TYPE_CHECKING:
    import httpx

TICKS_PER_DOLLAR = 10_000_000_000
_CONNECT_SECONDS = 10.0


class Exchange:
    """Talks JSON over a `Connection`. What is billed is sent exactly once, whatever becomes of it."""

    def __init__(self, http: Callable[[], httpx.AsyncClient], connection: Connection) -> None:
        self._http = http
        self.connection = connection

    async def order(self, stage: Stage, path: str, body: Json, seconds: float) -> dict[str, Json]:
        """POST something that costs money: once, without any second attempt. ``seconds`` bounds the whole exchange."""
        return await self._bounded(stage, "POST", path, body, seconds, again=False)

    async def ask(self, stage: Stage, path: str, seconds: float) -> dict[str, Json]:
        """GET something. A 401 is asked once more when the credential could be renewed."""
        return await self._bounded(stage, "GET", path, None, seconds, again=True)

    async def _bounded(
        self, stage: Stage, method: str, path: str, body: Json, seconds: float, *, again: bool
    ) -> dict[str, Json]:
        if seconds <= 0:
            raise failures.timed_out(stage, 0)
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(stage, method, path, body, again=again)
        except TimeoutError:
            raise failures.timed_out(stage, seconds) from None

    async def _answer(self, stage: Stage, method: str, path: str, body: Json, *, again: bool) -> dict[str, Json]:
        headers = await self.connection.headers()
        response = await self._send(stage, method, path, body, headers)
        if response.status_code == 401 and await self.connection.refused(headers) and again:
            response = await self._send(stage, method, path, body, await self.connection.headers())
        answer = _decoded(response)
        if not response.is_success:
            raise failures.refusal(stage, response.status_code, answer, response.headers, self.connection.login_hint)
        if not isinstance(answer, dict):
            raise failures.unreadable(stage)
        return answer

    async def _send(self, stage: Stage, method: str, path: str, body: Json, headers: dict[str, str]) -> httpx.Response:
        import httpx

        try:
            return await self._http().request(
                method,
                f"{self.connection.base_url}/{path}",
                headers={"accept": "application/json", "content-type": "application/json", **headers},
                content=None if body is None else await asyncio.to_thread(_encoded, body),
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
                follow_redirects=False,
            )
        except httpx.HTTPError:
            raise failures.unreachable(stage) from None


def _encoded(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _decoded(response: httpx.Response) -> Json:
    try:
        return response.json()
    except ValueError:
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


def no_answer(code: str, text: str) -> Ima2Error:
    """502: a success without what was asked for."""
    return Ima2Error(code, 502, text)
