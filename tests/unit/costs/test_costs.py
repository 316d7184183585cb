"""What is spent is written down, and budgets hold."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

import ima2
import ima2_plugins.costs
import ima2_plugins.graph
from ima2.testing import EchoProvider, FilmProvider, picture, plugin

Open = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
PRICE = ima2.Price("echo-1", "image", 0.04)


class Shop(EchoProvider):
    """Sells a picture for four cents, and reports ``cost`` where it is told to."""

    id, title = "shop", "Shop"
    capabilities = replace(EchoProvider.capabilities, prices=(PRICE,))

    def __init__(self) -> None:
        super().__init__()
        self.cost: float | None = None
        self.failure: ima2.Ima2Error | None = None
        self.hold: asyncio.Event | None = None

    async def images(self, request: ima2.ImageRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        self.asked.append(request)
        if self.hold:
            await self.hold.wait()
        if self.failure:
            raise self.failure
        for index in range(request.count):
            yield ima2.Artifact(picture(), index)
        yield ima2.Usage(cost=self.cost)


class Plan(Shop):
    """Is paid by a plan, so it declares no price."""

    id = "plan"
    capabilities = replace(EchoProvider.capabilities, prices=())


class Cinema(FilmProvider):
    """Sells clips by the second."""

    id = "cinema"
    capabilities = replace(
        FilmProvider.capabilities, prices=(ima2.Price(FilmProvider.capabilities.default_video_model, "second", 0.05),)
    )


class Gift(Shop):
    id, free = "gift", True


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def studio(ima2_client: Any, shop: Shop) -> Open:
    """``async with studio(BUDGET=...) as client:``"""

    @asynccontextmanager
    async def opened(**environ: str) -> AsyncIterator[httpx.AsyncClient]:
        parts = {one.id: plugin(providers=[one]) for one in (shop, Plan(), Gift(), Cinema())}
        settings = {"IMA2_DEFAULT_PROVIDER": "shop", **environ}
        async with ima2_client(environ=settings, costs=ima2_plugins.costs, graph=ima2_plugins.graph, **parts) as client:
            yield client

    return opened


async def draw(client: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await client.post("/api/generate", json={"prompt": "a kite", "provider": "shop", **more})


async def total(client: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    """The sums, once nothing is set aside any more."""
    for _ in range(100):
        found = (await client.get("/api/costs", params=query)).json()
        if not found["total"]["reservedUsd"]:
            return dict(found["total"])
        await asyncio.sleep(0.02)
    return dict(found["total"])


async def test_what_a_provider_reports_is_what_counts(studio: Open, shop: Shop) -> None:
    async with studio() as client:
        shop.cost = 0.03
        assert (await draw(client, n=2)).status_code == 200
        assert (await total(client))["reportedUsd"] == 0.03
        shop.cost = None
        await draw(client)
        found = await total(client)
        assert (found["jobs"], found["reportedUsd"], found["estimatedUsd"]) == (2, 0.03, 0.04)


@pytest.mark.parametrize("by", ["provider", "model", "day", "session", "client", "kind"])
async def test_costs_are_told_by_what_one_asks_for(by: str, studio: Open) -> None:
    async with studio() as client:
        await draw(client)
        await total(client)
        found = (await client.get("/api/costs", params={"by": by})).json()
        assert [row["estimatedUsd"] for row in found["rows"]] == [0.04]
        assert (await client.get("/api/costs", params={"by": "prompt"})).status_code == 400
        assert (await total(client, since="2020-01-01", until="2020-12-31"))["jobs"] == 0


async def test_a_refusal_that_cost_nothing_is_given_back(studio: Open, shop: Shop) -> None:
    async with studio(IMA2_BUDGET_DAY_USD="0.05") as client:
        shop.failure = ima2.Ima2Error("NO", 400, "No.")
        await draw(client)
        assert (await total(client))["jobs"] == 0
        shop.failure = None
        assert (await draw(client)).status_code == 200


@pytest.mark.parametrize("setting", ["IMA2_BUDGET_DAY_USD", "IMA2_BUDGET_MONTH_USD"])
async def test_what_a_budget_does_not_allow_is_refused_before_anything_is_sent(
    setting: str, studio: Open, shop: Shop
) -> None:
    async with studio(**{setting: "0.05"}) as client:
        refused = await draw(client, n=2)
        assert (refused.status_code, refused.json()["code"]) == (402, "BUDGET_EXCEEDED")
        assert shop.asked == []
        assert (await draw(client)).status_code == 200
        assert (await draw(client)).status_code == 402
        assert len(shop.asked) == 1


async def test_of_two_jobs_that_race_for_a_budget_of_one_exactly_one_runs(studio: Open, shop: Shop) -> None:
    async with studio(IMA2_BUDGET_DAY_USD="0.05") as client:
        answers = await asyncio.gather(*(draw(client) for _ in range(6)))
        assert sorted(one.status_code for one in answers) == [200, *[402] * 5]
        assert len(shop.asked) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/api/generate",
        "/api/generate?images=url",
        "/api/edit",
        "/api/generate/multimode",
        "/api/node/generate",
        "/api/video/generate",
    ],
)
async def test_no_way_to_pictures_and_clips_goes_around_a_budget(path: str, studio: Open, shop: Shop) -> None:
    async with studio(IMA2_BUDGET_DAY_USD="0") as client:
        image = "data:image/png;base64," + base64.b64encode(picture().data).decode()
        body = {"prompt": "a kite", "provider": "shop", "image": image, "maxImages": 2}
        if "video" in path:
            body = {"prompt": "a kite", "provider": "cinema", "duration": 5}
        answer = await client.post(path, json=body)
        assert "BUDGET_EXCEEDED" in answer.text, answer.text
        assert shop.asked == []


async def test_what_is_free_is_never_refused_and_what_a_plan_pays_only_by_its_own_budget(studio: Open) -> None:
    async with studio(IMA2_BUDGET_DAY_USD="0") as client:
        assert (await draw(client, provider="gift")).status_code == 200
        assert (await draw(client, provider="plan")).status_code == 200
    async with studio(IMA2_BUDGET_PROVIDERS='{"plan": 0, "shop": 1}') as client:
        assert (await draw(client, provider="plan")).status_code == 402
        assert (await draw(client)).status_code == 200


async def test_a_second_request_of_a_running_jobs_id_leaves_what_is_set_aside(studio: Open, shop: Shop) -> None:
    async with studio(IMA2_BUDGET_DAY_USD="0.09") as client:
        shop.hold = asyncio.Event()
        first = asyncio.create_task(draw(client, requestId="one"))
        while not shop.asked:
            await asyncio.sleep(0.01)
        assert (await draw(client, requestId="one")).status_code == 409
        reserved = (await client.get("/api/costs")).json()
        assert (reserved["total"]["reservedUsd"], reserved["budgets"][0]["usedUsd"]) == (0.04, 0.04)
        shop.hold.set()
        assert (await first).status_code == 200
        assert (await total(client))["estimatedUsd"] == 0.04


async def test_a_canceled_job_that_was_ordered_keeps_its_estimate(studio: Open, shop: Shop) -> None:
    async with studio() as client:
        shop.hold = asyncio.Event()
        waiting = asyncio.create_task(draw(client, requestId="two"))
        while not shop.asked:
            await asyncio.sleep(0.01)
        await client.delete("/api/inflight/two")
        await waiting
        assert (await total(client))["estimatedUsd"] == 0.04


async def test_an_outcome_that_nobody_knows_keeps_its_reservation(studio: Open) -> None:
    async with studio() as client:
        policy = client.runtime.registry.policies["costs"]  # type: ignore[attr-defined]
        request = ima2.ImageRequest("a kite", "shop", "echo-1")
        await policy.reserve("lost", request, ima2.Label(), 0.04)
        await policy.settle("lost", None, known=False)
        assert (await total(client))["unknownUsd"] == 0.04


async def test_what_a_process_that_died_left_set_aside_is_settled_by_the_next(studio: Open) -> None:
    async with studio() as client:
        policy = client.runtime.registry.policies["costs"]  # type: ignore[attr-defined]
        await policy.reserve("gone", ima2.ImageRequest("a kite", "shop", "echo-1"), ima2.Label(), 0.04)
    await asyncio.sleep(0.01)
    async with studio() as client:
        assert (await total(client))["unknownUsd"] == 0.04


async def test_an_estimate_spends_nothing(studio: Open, shop: Shop) -> None:
    async with studio() as client:
        body = {"prompt": "a kite", "n": 3}
        answer = (await client.post("/api/estimate", json={**body, "provider": "shop"})).json()
        assert answer == {"estimateUsd": 0.12, "free": False, "provider": "shop", "model": "echo-1"}
        assert (await client.post("/api/estimate", json={**body, "provider": "plan"})).json()["estimateUsd"] is None
        assert (await client.post("/api/estimate", json={**body, "provider": "gift"})).json()["estimateUsd"] == 0
        assert (await client.post("/api/estimate", json={"provider": "shop"})).json()["code"] == "PROMPT_REQUIRED"
        assert shop.asked == []
        assert (await total(client))["jobs"] == 0
