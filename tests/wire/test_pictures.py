"""The answers of pictures: what they say, how searches and tokens are added up, and who failed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ima2 import Artifact, Failed, Ima2Error, ImageRequest, Notice, Update, Usage
from ima2.server.wire.errors import BLOCK
from ima2.testing import RecordingSink, picture
from tests.wire.painter import ASK, PNG, Painter, frames, one_each, parts

COMMON = set(
    "usage cost costEstimate provider reasoningEffort webSearchCalls quality size format moderation model "
    "effectiveModel used warnings revisedPrompt promptMode webSearchEnabled".split()
)


async def test_one_picture_answers_flat(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter())) as client:
        answer = (await client.post("/api/generate", json={**ASK, "requestId": "r-1"})).json()
    own = {"image", "elapsed", "filename", "url", "requestId", "providerUrl", "createdAt"}
    assert set(answer) == own | COMMON
    assert answer["url"] == f"/generated/{answer['filename']}"
    assert answer["requestId"] == "r-1"
    assert isinstance(answer["elapsed"], float)
    assert (answer["webSearchCalls"], answer["usage"], answer["revisedPrompt"]) == (1, {"total_tokens": 10}, "kite 0")
    assert answer["used"] == {"model": "oil", "size": "64x48", "width": 64, "height": 48}


async def test_several_answer_as_a_list_and_searches_and_tokens_are_sums(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter())) as client:
        answer = (await client.post("/api/generate", json={**ASK, "n": 3})).json()
        rows = (await client.get("/api/history")).json()["items"]
    assert set(answer) == {"images", "elapsed", "count", "requested", "failures", "requestId"} | COMMON
    assert (answer["count"], answer["requested"], answer["failures"]) == (3, 3, [])
    assert (answer["webSearchCalls"], answer["usage"]) == (3, {"total_tokens": 30})
    assert [one["revisedPrompt"] for one in answer["images"]] == ["kite 0", "kite 1", "kite 2"]
    assert set(answer["images"][0]) == {"image", "filename", "url", "revisedPrompt", "createdAt"}
    assert [row["usage"] for row in rows] == [{"total_tokens": 10}] * 3
    assert [row["webSearchCalls"] for row in rows] == [1, 1, 1]


def planned(request: ImageRequest) -> Iterable[Update | Exception]:
    yield Usage({"planner": 2}, searches=2)
    yield from one_each(request)


async def test_searches_of_a_plan_are_counted_once_and_belong_to_each_picture_they_served(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(planned))) as client:
        answer = (await client.post("/api/generate", json={**ASK, "n": 2})).json()
        rows = (await client.get("/api/history")).json()["items"]
    assert (answer["webSearchCalls"], answer["usage"]) == (4, {"planner": 2, "total_tokens": 20})
    assert [row["webSearchCalls"] for row in rows] == [3, 3]


def second_fails(request: ImageRequest) -> Iterable[Update | Exception]:
    yield Artifact(picture(), 0)
    yield Failed(1, Ima2Error("PAINT_DRIED", 502, "No."))
    yield Artifact(picture(), 2)


async def test_one_of_several_that_fails_leaves_the_others_and_is_named(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(second_fails))) as client:
        answer = await client.post("/api/generate", json={**ASK, "n": 3})
        job = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"][0]
    body = answer.json()
    assert (answer.status_code, body["count"], body["requested"]) == (200, 2, 3)
    assert body["failures"] == [{"index": 1, "code": "PAINT_DRIED"}]
    assert body["warnings"] == [{"code": "IMAGE_FAILED", "index": 1, "reason": "PAINT_DRIED"}]
    assert [one["filename"].split("_")[-1] for one in body["images"]] == ["0.png", "2.png"]
    assert (job["status"], job["httpStatus"], job["meta"]["imageCount"]) == ("completed", 200, 2)
    assert job["meta"]["filenames"] == [one["filename"] for one in body["images"]]


def all_fail(request: ImageRequest) -> Iterable[Update | Exception]:
    for index in range(request.count):
        yield Failed(index, Ima2Error(f"PAINT_{index}", 500 + index, "No.", upstream_code="dry", details={"a": 1}))


async def test_where_all_fail_the_first_failure_is_the_answer_with_the_block_of_its_facts(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(all_fail))) as client:
        answer = await client.post("/api/generate", json={**ASK, "n": 2, "requestId": "r-1"})
        job = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"][0]
    body = answer.json()
    assert (answer.status_code, body["code"], body["requestId"]) == (500, "PAINT_0", "r-1")
    assert set(body) == {"error", "code", "status", "requestId", "a", *BLOCK}
    assert (body["upstreamCode"], body["upstreamType"], body["a"]) == ("dry", None, 1)
    assert (job["status"], job["httpStatus"], job["errorCode"]) == ("error", 500, "PAINT_0")


async def test_nothing_at_all_is_an_empty_response(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(lambda request: ()))) as client:
        answer = await client.post("/api/generate", json=ASK)
        [(name, data)] = frames(await client.post("/api/generate/multimode", json=ASK))[-1:]
    assert (answer.status_code, answer.json()["code"]) == (422, "EMPTY_RESPONSE")
    assert "no image data returned" in answer.json()["error"].lower()
    assert (name, data["code"], data["status"], data["returned"]) == ("error", "EMPTY_RESPONSE", 422, 0)


def adjusting(request: ImageRequest) -> Iterable[Update | Exception]:
    yield Notice("SIZE_ADJUSTED", "Rounded.", {"field": "size", "normalized_to": "1k"})
    yield Notice("SLOW_TODAY", "It is slow.")
    yield Artifact(picture(), model="ink", url="https://a.example/b.png", used={"quality": "low"})


async def test_what_differs_from_what_was_asked_is_told_in_its_place(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(adjusting))) as client:
        answer = (await client.post("/api/generate", json={**ASK, "quality": "high", "n": 9})).json()
        edited = (await client.post("/api/edit", json={**ASK, "image": PNG})).json()
    assert [(one["code"], one.get("field")) for one in answer["warnings"]] == [
        ("SLOW_TODAY", None),
        ("QUALITY_DIFFERS", "quality"),
    ]
    assert answer["adjustments"] == [
        {"field": "n", "used": 8, "reason": "allowed-1-to-8"},
        {"code": "SIZE_ADJUSTED", "message": "Rounded.", "field": "size", "normalizedTo": "1k"},
    ]
    assert (answer["model"], answer["effectiveModel"]) == ("oil", "ink")
    assert (edited["model"], edited["providerUrl"]) == ("ink", "https://a.example/b.png")


async def test_a_background_job_tells_the_bus_what_a_direct_one_answers(ima2_client: Any) -> None:
    sink = RecordingSink()
    async with ima2_client(parts=parts(Painter(), sink)) as client:
        accepted = await client.post("/api/generate", json={**ASK, "requestId": "bg", "async": True})
        assert (accepted.status_code, accepted.json()) == (202, {"requestId": "bg", "async": True})
        await client.runtime.jobs.wait("bg")
        direct = (await client.post("/api/generate", json={**ASK, "requestId": "direct"})).json()
    told = [(one.name, one.data) for one in sink.events if one.job_id == "bg"]
    assert [name for name, _ in told] == ["phase", "done"]
    assert told[0][1] == {"requestId": "bg", "phase": "streaming"}
    assert set(told[1][1]) == set(direct)


@pytest.mark.parametrize(
    ("sent", "wanted"), [({"partials": 2}, 2), ({}, 0), ({"partials": 0}, 0), ({"partials": 3}, 3)]
)
async def test_previews_come_as_many_as_asked_for(ima2_client: Any, sent: dict[str, int], wanted: int) -> None:
    sink = RecordingSink()
    async with ima2_client(parts=parts(Painter(), sink)) as client:
        await client.post("/api/generate", json={**ASK, **sent})
    assert len(sink.named("partial")) == wanted


async def test_a_provider_that_gives_fewer_previews_is_asked_for_as_many_as_it_gives(ima2_client: Any) -> None:
    painter = Painter(partials=1)
    async with ima2_client(parts=parts(painter)) as client:
        await client.post("/api/generate", json={**ASK, "partials": 3})
    assert painter.asked[0].partials == 1


async def test_every_route_hands_over_the_prompt_as_it_was_sent(ima2_client: Any) -> None:
    painter, words = Painter(), "  a kite\n\tover dunes "
    body = {**ASK, "prompt": words, "image": PNG, "options": {"seed": 7}}
    async with ima2_client(parts=parts(painter)) as client:
        for path in ("/api/generate", "/api/generate/multimode", "/api/edit"):
            assert (await client.post(path, json=body)).status_code == 200
        rows = (await client.get("/api/history")).json()["items"]
        await client.post("/api/generate", json={**body, "storyboard": True})
        told = (await client.get("/api/history")).json()["items"][0]
    assert [one.prompt for one in painter.asked[:3]] == [words] * 3
    assert [one.options["seed"] for one in painter.asked] == [7] * 4
    assert {(row["prompt"], row["userPrompt"]) for row in rows} == {(words, words)}
    assert painter.asked[3].prompt.endswith(words)
    assert "black" in painter.asked[3].prompt
    assert told["userPrompt"] == words
