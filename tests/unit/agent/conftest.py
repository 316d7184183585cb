"""A process with agent mode and made up providers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest

import ima2
import ima2_plugins.agent
from ima2.testing import picture, plugin


class Painter(ima2.Provider):
    """Draws at once. Words in a prompt say what goes wrong; ``gate`` holds it up; ``asked`` are the requests."""

    id = "painter"
    title = "Painter"
    is_default = True
    capabilities = ima2.Capabilities(
        models=(ima2.Model("brush"),),
        default_model="brush",
        sizes=ima2.Sizes(listed=("512x512",)),
        default_size="512x512",
        formats=("png",),
        max_references=2,
        edit=True,
        text=True,
        options=(ima2.Option("webSearch", "flag", "Web search", False),),
    )

    def __init__(self) -> None:
        self.asked: list[ima2.ImageRequest] = []
        self.questions: list[ima2.TextRequest] = []
        self.answers: list[str | ima2.Ima2Error] = []
        self.gate: asyncio.Event | None = None
        self.at_once = self.most = 0

    async def images(self, request: ima2.ImageRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        self.asked.append(request)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            if self.gate is not None:
                await self.gate.wait()
            for words, error in FAILURES.items():
                if words in request.prompt:
                    raise error
            yield ima2.Artifact(picture(), 0, revised_prompt="as painted")
            yield ima2.Usage(searches=1 if request.options.get("webSearch") else 0)
        finally:
            self.at_once -= 1

    async def text(self, request: ima2.TextRequest) -> ima2.TextResult:
        self.questions.append(request)
        answer = self.answers.pop(0) if self.answers else "Washi."
        if isinstance(answer, ima2.Ima2Error):
            raise answer
        return ima2.TextResult(answer, "brush")


FAILURES = {
    "take 2 of": ima2.Ima2Error("PAINTER_FAILED", 502, "The second one ran."),
    "silent": ima2.Ima2Error("EMPTY_RESPONSE", 422, "Only words came."),
    "timed": ima2.Ima2Error("PAINTER_TIMEOUT", 504, "It took too long."),
}


class Desk:
    """An HTTP client of agent mode."""

    def __init__(self, client: httpx.AsyncClient, painter: Painter) -> None:
        self.client, self.painter = client, painter
        self.runtime: Any = client.runtime  # type: ignore[attr-defined]

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        answer = await self.client.request(method, f"/api/agent{path}", json=body, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def session(self, **body: Any) -> str:
        return str((await self.ask("POST", "/sessions", body, status=201))["selectedSessionId"])

    async def turns(self, session_id: str) -> list[dict[str, Any]]:
        found = await self.ask("GET", f"/sessions/{session_id}")
        turns: list[dict[str, Any]] = found["turnsBySession"][session_id]
        return turns

    async def write(self, session_id: str, prompt: str, **body: Any) -> dict[str, Any]:
        answer = await self.ask("POST", f"/sessions/{session_id}/queue", {"prompt": prompt, **body}, status=202)
        item: dict[str, Any] = answer["queueItem"]
        return item

    async def item(self, item_id: str) -> dict[str, Any]:
        queue = (await self.ask("GET", "/queue"))["queue"]
        return next(one for one in queue if one["id"] == item_id)

    async def ended(self, item_id: str) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while (found := await self.item(item_id))["status"] in ("queued", "running"):
                await asyncio.sleep(0.02)
        return found

    async def status(self, item_id: str, wanted: str) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while (found := await self.item(item_id))["status"] != wanted:
                await asyncio.sleep(0.02)
        return found


OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def open_desk(ima2_client: Any) -> OpenDesk:
    """``async with open_desk(...) as desk:`` with settings and further plugins."""

    @asynccontextmanager
    async def make(environ: Mapping[str, str] | None = None, **plugins: Any) -> AsyncIterator[Desk]:
        painter = plugins.pop("painter", None) or Painter()
        offered = {"agent": ima2_plugins.agent, "paint": plugin(providers=[painter]), **plugins}
        async with ima2_client(environ=environ, **offered) as client:
            yield Desk(client, painter)

    return make


@pytest.fixture
async def desk(open_desk: OpenDesk) -> AsyncIterator[Desk]:
    """One that is open."""
    async with open_desk() as desk:
        yield desk
