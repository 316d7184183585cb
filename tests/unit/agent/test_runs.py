"""Pictures of conversations: at once, several, failing, continued, cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.unit.agent.conftest import Desk, OpenDesk

import ima2
from ima2.testing import picture, plugin


async def test_a_turn_draws_and_the_next_goes_on_from_there(desk: Desk) -> None:
    session = await desk.session()
    await desk.ask("PATCH", f"/sessions/{session}", {"styleLocks": ["flat colours"]})
    found = await desk.ask("POST", f"/sessions/{session}/turns", {"prompt": "a heron", "requestId": "mine"})
    image = found["imagesById"][found["currentImageId"]]
    assert (image["prompt"], image["revisedPrompt"], image["width"]) == ("a heron", "as painted", 64)
    assert image["filename"].endswith("_agent.png")
    row = (await desk.client.get(f"/api/history?sessionId={session}")).json()["items"][0]
    assert (row["kind"], row["prompt"], row["requestId"]) == ("agent", "a heron", "mine")
    again = await desk.ask("POST", f"/sessions/{session}/turns", {"prompt": "make it blue"})
    assert again["currentImageId"] != image["id"]
    first, second = desk.painter.asked
    assert (len(first.references), len(second.references)) == (0, 1)
    assert "flat colours" in second.prompt
    roles = [one["role"] for one in again["turnsBySession"][session]]
    assert roles == ["user", "tool", "tool", "assistant"] * 2


async def test_what_a_provider_does_not_take_gives_way_and_that_is_told(desk: Desk) -> None:
    session = await desk.session()
    body = {"prompt": "a heron", "model": "gpt-5.5", "size": "1536x1024", "format": "webp"}
    found = await desk.ask("POST", f"/sessions/{session}/turns", body)
    asked = desk.painter.asked[0]
    assert (asked.model, asked.size, asked.format) == ("brush", "512x512", "png")
    told = found["turnsBySession"][session][2]["toolCalls"][-1]["outputSummary"]
    assert "gpt-5.5" in told
    assert "1536x1024" in told


async def test_the_web_is_searched_where_the_provider_can_and_the_session_wants(desk: Desk) -> None:
    session = await desk.session()
    found = await desk.ask("POST", f"/sessions/{session}/turns", {"prompt": "a heron"})
    calls = found["turnsBySession"][session][2]["toolCalls"]
    assert [one["name"] for one in calls] == ["ima2.web_search", "ima2.generate_image"]
    await desk.ask("POST", f"/sessions/{session}/turns", {"prompt": "a heron", "webSearchEnabled": False})
    assert [one.options["webSearch"] for one in desk.painter.asked] == [True, False]


async def test_words_in_place_of_a_picture_are_asked_once_more_and_then_told(desk: Desk) -> None:
    session = await desk.session()
    answer = await desk.ask("POST", f"/sessions/{session}/turns", {"prompt": "a silent heron"}, status=422)
    assert answer["code"] == "AGENT_TEXT_ONLY_RESULT"
    assert len(desk.painter.asked) == 2
    turns = await desk.turns(session)
    assert (turns[0]["text"], turns[-1]["status"]) == ("a silent heron", "error")


async def test_a_broken_conversation_gets_a_new_thread(desk: Desk) -> None:
    session = await desk.session()
    before = (await desk.ask("GET", f"/sessions/{session}"))["sessions"][0]["codexThreadId"]
    await desk.ask("POST", f"/sessions/{session}/turns", {"prompt": "a timed heron"}, status=504)
    found = await desk.ask("GET", f"/sessions/{session}")
    assert found["sessions"][0]["codexThreadId"] != before
    assert found["turnsBySession"][session][-2]["role"] == "tool"
    assert found["turnsBySession"][session][-2]["status"] == "error"


async def test_one_failing_variant_leaves_the_others(desk: Desk) -> None:
    session = await desk.session()
    item = await desk.ended((await desk.write(session, "/v 3 a heron"))["id"])
    assert (item["status"], len(item["resultImageIds"])) == ("succeeded", 2)
    assert item["errorCode"] == "PAINTER_FAILED"
    found = await desk.ask("GET", f"/sessions/{session}")
    assert found["sessions"][0]["imageCount"] == 2
    tool, answer = found["turnsBySession"][session][-2:]
    assert [one["status"] for one in tool["toolCalls"] if one["name"] == "ima2.generate_image"] == [
        "complete", "error", "complete",
    ]  # fmt: skip
    assert answer["text"].startswith("Made 2 of 3 pictures.")


async def test_at_most_two_run_and_one_a_session_in_the_order_asked(desk: Desk) -> None:
    desk.painter.gate = asyncio.Event()
    sessions = [await desk.session() for _ in range(3)]
    first = [await desk.write(one, f"a heron {number}") for number, one in enumerate(sessions)]
    later = await desk.write(sessions[0], "a second heron")
    await desk.status(first[0]["id"], "running")
    await desk.status(first[1]["id"], "running")
    await asyncio.sleep(0.1)
    assert [(await desk.item(one["id"]))["status"] for one in (first[2], later)] == ["queued", "queued"]
    desk.painter.gate.set()
    done = [await desk.ended(one["id"]) for one in (*first, later)]
    assert [one["status"] for one in done] == ["succeeded"] * 4
    assert desk.painter.most == 2
    assert done[2]["startedAt"] <= done[3]["startedAt"]


async def test_a_running_item_is_really_cancelled_and_what_was_made_is_kept(desk: Desk) -> None:
    session = await desk.session()
    await desk.ask("POST", f"/sessions/{session}/turns", {"prompt": "a heron"})
    desk.painter.gate = asyncio.Event()
    item = await desk.write(session, "/v 2 another")
    await desk.status(item["id"], "running")
    while desk.painter.at_once < 2:
        await asyncio.sleep(0.01)
    found = await desk.ask("POST", f"/queue/{item['id']}/cancel")
    assert found["queueBySession"][session][0]["status"] == "canceled"
    assert desk.painter.at_once == 0
    assert (await desk.client.get("/api/inflight")).json()["jobs"] == []
    assert found["sessions"][0]["imageCount"] == 1
    desk.painter.gate.set()
    await desk.ask("POST", f"/queue/{item['id']}/retry")
    assert (await desk.ended(item["id"]))["errorCode"] == "PAINTER_FAILED"


async def test_waiting_work_is_cancelled_and_retried_and_what_ended_is_neither(desk: Desk) -> None:
    desk.painter.gate = asyncio.Event()
    session = await desk.session()
    busy, item = await desk.write(session, "a heron"), await desk.write(session, "a second")
    await desk.ask("POST", f"/queue/{item['id']}/cancel")
    assert (await desk.item(item["id"]))["status"] == "canceled"
    assert (await desk.ask("POST", f"/queue/{item['id']}/cancel", status=409))["code"] == "AGENT_QUEUE_CANCEL_FAILED"
    desk.painter.gate.set()
    await desk.ended(busy["id"])
    await desk.ask("POST", f"/queue/{item['id']}/retry")
    assert (await desk.ended(item["id"]))["status"] == "succeeded"
    assert (await desk.ask("POST", f"/queue/{item['id']}/retry", status=409))["code"] == "AGENT_QUEUE_RETRY_FAILED"


async def test_a_queued_item_stands_in_the_list_of_jobs(desk: Desk) -> None:
    desk.painter.gate = asyncio.Event()
    session = await desk.session()
    item = await desk.write(session, "a heron")
    await desk.status(item["id"], "running")
    jobs = (await desk.client.get("/api/inflight?kind=agent_queue")).json()["jobs"]
    assert [one["requestId"] for one in jobs] == [item["requestId"]]
    assert jobs[0]["meta"]["queueItemId"] == item["id"]
    await desk.client.delete(f"/api/inflight/{item['requestId']}")
    assert (await desk.ended(item["id"]))["status"] == "canceled"


async def test_deleting_a_session_stops_it_and_keeps_its_pictures(desk: Desk) -> None:
    session = await desk.session()
    await desk.ask("POST", f"/sessions/{session}/turns", {"prompt": "a heron"})
    desk.painter.gate = asyncio.Event()
    item = await desk.write(session, "a second")
    await desk.status(item["id"], "running")
    await desk.ask("DELETE", f"/sessions/{session}")
    assert desk.painter.at_once == 0
    assert (await desk.ask("GET", "/queue"))["queue"] == []
    assert (await desk.client.get("/api/history")).json()["total"] == 1


async def test_two_tabs_on_one_session_take_turns_and_lose_nothing(desk: Desk) -> None:
    session = await desk.session()
    body = {"prompt": "a heron"}
    await asyncio.gather(*(desk.ask("POST", f"/sessions/{session}/turns", body) for _ in range(4)))
    assert desk.painter.most == 1
    found = await desk.ask("GET", f"/sessions/{session}")
    assert len(found["imageIdsBySession"][session]) == 4
    assert [one["role"] for one in found["turnsBySession"][session]] == ["user", "tool", "tool", "assistant"] * 4


@pytest.mark.parametrize("prompt", ["/variants 3", "/v", "/p 2", "  ", "", None, 5])
async def test_an_empty_prompt_leaves_no_turn_behind(desk: Desk, prompt: object) -> None:
    session = await desk.session()
    answer = await desk.ask("POST", f"/sessions/{session}/queue", {"prompt": prompt}, status=400)
    assert answer["code"] == "AGENT_PROMPT_REQUIRED"
    assert await desk.turns(session) == []


class Cinema(ima2.Provider):
    """Makes clips; ``asked`` are the requests."""

    id = "cinema"
    title = "Cinema"
    is_video_default = True
    capabilities = ima2.Capabilities(
        media=("video",),
        models=(ima2.Model("reel", media="video"),),
        default_video_model="reel",
        video=ima2.VideoModes(
            ("text", "image"), {"text": (1, 15), "image": (1, 15)}, ("480p", "720p"), ("auto", "16:9")
        ),
    )

    def __init__(self) -> None:
        self.asked: list[ima2.VideoRequest] = []

    async def videos(self, request: ima2.VideoRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        self.asked.append(request)
        yield ima2.Artifact(ima2.Picture(b"\0\0\0\x18ftypmp42" + bytes(64), "video/mp4"), 0)


async def test_words_for_a_clip_begin_from_the_current_picture(open_desk: OpenDesk) -> None:
    cinema = Cinema()
    async with open_desk(cinema=plugin(providers=[cinema])) as desk:
        await desk.runtime.library.keep("a.png", picture(), {})
        session = await desk.session(currentImage={"filename": "a.png"})
        item = await desk.write(session, "animate it for 7 seconds in 720p, 16:9")
        await desk.ended(item["id"])
        asked = cinema.asked[0]
        assert (asked.mode, asked.duration, asked.resolution, asked.aspect_ratio) == ("image", 7, "720p", "16:9")
        assert asked.source == ima2.Picture(await desk.runtime.library.read("a.png"), "image/png")
