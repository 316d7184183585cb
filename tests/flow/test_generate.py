"""``POST /api/generate`` through the whole runtime, with providers that behave in one known way."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
from typing import Any

import pytest

from ima2 import Ima2Error, Stored
from ima2.media.embed import read
from ima2.testing import CrashingProvider, EchoProvider, MemoryStorage, RecordingSink, StallingProvider, picture, plugin

ECHO = {"prompt": "a red kite", "provider": "echo"}


async def post(client: Any, body: dict[str, Any], **more: Any) -> Any:
    return await client.post("/api/generate", json=body, **more)


async def test_a_picture_comes_back_and_is_kept_with_its_story(ima2_client: Any) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        answer = (await post(client, {**ECHO, "requestId": "r-1", "sessionId": "s_1"})).json()
        kept = await client.get(answer["url"])
        storage = client.runtime.library.storage
        sidecar = json.loads(await storage.get(answer["filename"] + ".json"))
    assert answer["image"] == "data:image/png;base64," + base64.b64encode(kept.content).decode()
    assert (answer["requestId"], answer["provider"], answer["model"]) == ("r-1", "echo", "echo-1")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sidecar["prompt"] == "a red kite"
    assert sidecar["sessionId"] == "s_1"
    assert sidecar["usage"] == {"total_tokens": 7}
    embedded = read(kept.content).metadata
    assert embedded is not None
    assert embedded["prompt"] == "a red kite"
    assert embedded["requestId"] == "r-1"


async def test_pictures_can_be_asked_for_by_address(ima2_client: Any) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        answer = (await post(client, {**ECHO, "n": 2}, params={"images": "url"})).json()
    assert [one["image"] for one in answer["images"]] == [one["url"] for one in answer["images"]]


async def test_several_candidates_answer_as_a_list_even_when_some_fail(ima2_client: Any) -> None:
    broken = CrashingProvider(Ima2Error("CRASH_LATE", 502, "The third one broke."), after=2)
    async with ima2_client(crash=plugin(providers=[broken])) as client:
        answer = (await post(client, {"prompt": "x", "provider": "crash", "n": 3})).json()
        rows = (await client.get("/api/history")).json()["items"]
    assert (answer["count"], answer["requested"], len(rows)) == (2, 3, 2)
    assert answer["failures"] == [{"index": 2, "code": "CRASH_LATE"}]
    assert {"code": "IMAGE_FAILED", "index": 2, "reason": "CRASH_LATE"} in answer["warnings"]


async def test_a_background_job_is_listed_then_done_then_ended(ima2_client: Any) -> None:
    sink = RecordingSink()
    async with ima2_client(echo=plugin(providers=[EchoProvider()], event_sinks=[sink])) as client:
        answer = await post(client, {**ECHO, "requestId": "bg-1", "async": True})
        assert (answer.status_code, answer.json()) == (202, {"requestId": "bg-1", "async": True})
        while not sink.named("done"):
            await asyncio.sleep(0.01)
        listed = (await client.get("/api/inflight?includeTerminal=1")).json()
    assert listed["jobs"] == []
    assert listed["terminalJobs"][0]["status"] == "completed"
    assert listed["terminalJobs"][0]["meta"]["imageCount"] == 1
    assert [event.name for event in sink.events] == ["phase", "done"]
    assert sink.events[-1].terminal


async def test_previews_are_told_when_asked_for(ima2_client: Any) -> None:
    sink = RecordingSink()
    async with ima2_client(echo=plugin(providers=[EchoProvider()], event_sinks=[sink])) as client:
        await post(client, {**ECHO, "partials": 2})
        await asyncio.sleep(0.05)
    assert [event.data["index"] for event in sink.named("partial")] == [0, 1]


async def test_a_clients_departure_does_not_end_the_job(ima2_client: Any) -> None:
    stall = StallingProvider()
    async with ima2_client(stall=plugin(providers=[stall])) as client:
        leaving = asyncio.create_task(post(client, {"prompt": "x", "provider": "stall", "requestId": "left"}))
        await stall.begun.wait()
        leaving.cancel()
        await asyncio.sleep(0.05)
        assert [job["requestId"] for job in (await client.get("/api/inflight")).json()["jobs"]] == ["left"]
        assert stall.canceled == 0
    assert stall.canceled == 1


async def test_the_asked_file_format_is_what_is_saved(ima2_client: Any) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        answer = (await post(client, {**ECHO, "format": "webp"})).json()
        kept = await client.get(answer["url"])
    assert answer["filename"].endswith(".webp")
    assert answer["image"].startswith("data:image/webp;base64,")
    assert kept.content[8:12] == b"WEBP"


@pytest.mark.parametrize("sent", ["gif", "../x", "PNG ", 7])
async def test_an_unknown_file_format_is_png_and_says_so(ima2_client: Any, sent: Any) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        answer = (await post(client, {**ECHO, "format": sent})).json()
    assert answer["filename"].endswith(".png")
    assert [warning["code"] for warning in answer["warnings"]] == ["FORMAT_DEFAULTED", "ECHOED"]


@pytest.mark.parametrize(("sent", "count"), [(0, 1), (9, 8), ("x", 1), ("3", 3), (-2, 1), (2.9, 2)])
async def test_a_count_out_of_range_is_brought_into_it_and_the_answer_says_so(
    ima2_client: Any, sent: Any, count: int
) -> None:
    echo = EchoProvider()
    async with ima2_client(echo=plugin(providers=[echo])) as client:
        answer = (await post(client, {**ECHO, "n": sent})).json()
    assert echo.asked[0].count == count
    adjusted = answer.get("adjustments", [])
    assert [one["used"] for one in adjusted] == ([] if sent in ("3", 2.9) else [count])


async def test_a_crash_of_a_provider_is_told_plainly_and_its_words_stay_inside(ima2_client: Any, caplog: Any) -> None:
    crash = CrashingProvider(ValueError("the prompt was: a secret plan"))
    async with ima2_client(crash=plugin(providers=[crash])) as client:
        answer = await post(client, {"prompt": "a secret plan", "provider": "crash"})
    assert (answer.status_code, answer.json()["code"]) == (500, "PROVIDER_CRASHED")
    assert "secret plan" not in answer.text
    assert "ValueError" in caplog.text
    assert "secret plan" not in caplog.text


async def test_a_crash_after_the_first_picture_keeps_it_and_says_so(ima2_client: Any) -> None:
    crash = CrashingProvider(ValueError("bug"), after=1)
    async with ima2_client(crash=plugin(providers=[crash])) as client:
        answer = (await post(client, {"prompt": "x", "provider": "crash", "n": 2})).json()
    assert answer["count"] == 1
    assert answer["failures"] == [{"index": 1, "code": "PROVIDER_CRASHED"}]


async def test_a_picture_that_a_full_disk_cannot_take_is_kept_aside_and_handed_over(ima2_client: Any) -> None:
    class Full(MemoryStorage):
        async def put(self, key: str, data: bytes) -> Stored:
            raise OSError(errno.ENOSPC, "No space left on device")

    parts = plugin(providers=[EchoProvider()], storages=[Full()])
    async with ima2_client(parts=parts, environ={"IMA2_STORAGE": "memory"}) as client:
        answer = await post(client, ECHO)
        ended = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"][0]
        aside = await client.get(answer.json()["url"])
    warning = answer.json()["warnings"][0]
    assert (answer.status_code, warning["code"]) == (200, "STORAGE_FAILED")
    assert "No space left" in warning["message"]
    assert answer.json()["image"].startswith("data:image/png;base64,")
    assert aside.content.startswith(b"\x89PNG")
    assert ended["status"] == "completed"


async def test_references_reach_the_provider_as_bytes(ima2_client: Any) -> None:
    echo, small = EchoProvider(), picture()
    sent = base64.b64encode(small.data).decode()
    async with ima2_client(echo=plugin(providers=[echo])) as client:
        await post(client, {**ECHO, "references": [f"data:image/jpeg;base64,{sent}", sent]})
    assert echo.asked[0].references == (small, small)


async def test_the_default_provider_is_the_one_that_says_so_or_the_settings(ima2_client: Any) -> None:
    class Default(EchoProvider):
        id = "other"
        is_default = True

    parts = {"echo": plugin(providers=[EchoProvider()]), "other": plugin(providers=[Default()])}
    for named, expected in (({}, "other"), ({"provider": None}, "other"), ({"provider": "auto"}, "other")):
        async with ima2_client(**parts) as client:
            assert (await post(client, {"prompt": "x", **named})).json()["provider"] == expected
    async with ima2_client(**parts, environ={"IMA2_DEFAULT_PROVIDER": "echo"}) as client:
        assert (await post(client, {"prompt": "x"})).json()["provider"] == "echo"
        assert (await post(client, {"prompt": "x", "provider": "nobody"})).json()["code"] == "UNKNOWN_PROVIDER"
