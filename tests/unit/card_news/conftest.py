"""Card news over HTTP, with the demo, and with providers that play along."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar

import httpx
import pytest

import ima2
import ima2_plugins.card_news
import ima2_plugins.demo
from ima2.testing import picture, plugin

Ask = Callable[..., Awaitable[Any]]


class Painter(ima2.Provider):
    """Draws at once; a prompt that holds a word of ``failures`` ends as that says."""

    id = "painter"
    title: ClassVar[str] = "Painter"
    is_default = True
    capabilities = ima2.Capabilities(
        models=(ima2.Model("p1", "P1"),),
        default_model="p1",
        sizes=ima2.Sizes(listed=("1024x1024", "2048x2048"), free=True),
        max_references=5,
    )

    def __init__(self) -> None:
        self.failures: dict[str, Exception] = {}
        self.requests: list[ima2.ImageRequest] = []
        self.pause = 0.0
        self.slow = ""
        self.busy = self.most_busy = 0

    async def images(self, request: ima2.ImageRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        self.requests.append(request)
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        try:
            await asyncio.sleep(5 if self.slow and self.slow in request.prompt else self.pause)
            for word, error in self.failures.items():
                if word in request.prompt:
                    raise error
            if "wordless" not in request.prompt:
                yield ima2.Artifact(picture(), revised_prompt="as drawn")
        finally:
            self.busy -= 1


class Planner(ima2.Provider):
    """Answers with what ``answers`` holds, one after the other; an exception is raised."""

    id = "planner"
    title: ClassVar[str] = "Planner"
    capabilities = ima2.Capabilities(text=True)

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.requests: list[ima2.TextRequest] = []

    async def text(self, request: ima2.TextRequest) -> ima2.TextResult:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return ima2.TextResult(answer if isinstance(answer, str) else json.dumps(answer), "p-words")


@pytest.fixture
def painter() -> Painter:
    return Painter()


@pytest.fixture
def planner() -> Planner:
    return Planner()


@pytest.fixture
def environ() -> dict[str, str]:
    return {"IMA2_CARD_NEWS": "1"}


@pytest.fixture
async def client(
    ima2_client: Any, painter: Painter, planner: Planner, environ: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    parts = plugin(providers=[painter, planner])
    async with ima2_client(card_news=ima2_plugins.card_news, parts=parts, environ=environ) as client:
        yield client


@pytest.fixture
def ask(client: httpx.AsyncClient) -> Ask:
    """``await ask("POST", "generate", {...}, 400)``: the answer of that status."""

    async def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = await client.request(method, f"/api/cardnews/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def card(number: int, **more: Any) -> dict[str, Any]:
    """A card of a plan, its headline drawn."""
    text = {
        "id": f"t{number}",
        "kind": "headline",
        "text": f"Head {number}",
        "renderMode": "in-image",
        "slotId": "title",
    }
    return {
        "id": f"card_{number}",
        "order": number,
        "role": "core",
        "headline": f"Head {number}",
        "body": f"Body {number}",
        "visualPrompt": f"scene {number}",
        "textFields": [text],
        **more,
    }


def plan(*cards: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A set of cards, three where none are given."""
    rows = list(cards) or [card(1), card(2), card(3)]
    return {"setId": "cs_test", "title": "Harbours", "topic": "the sea", "size": "1024x1024", "cards": rows, **more}
