"""Clips through the wire: made, continued, failed and canceled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.flow.clips import BODY, PNG, ended, film, sidecar, told

import ima2
from ima2.testing import EchoProvider, FilmProvider, RecordingSink, clip, picture, plugin

# -- making ------------------------------------------------------------------------------------------


async def test_a_clip_is_told_in_order_and_kept_with_what_is_known_of_it(ima2_client: Any) -> None:
    provider, sink = FilmProvider(), RecordingSink()
    async with ima2_client(film=plugin(providers=[provider], event_sinks=[sink])) as client:
        more = {"duration": 6, "resolution": "720p", "aspectRatio": "16:9", "sessionId": "s_1", "clientNodeId": "c_1"}
        events = told(await client.post("/api/video/generate", json={**BODY, **more}))
        done = events[-1][1]
        kept = await sidecar(client, done["filename"])
        served = await client.get(done["url"])
        job = await ended(client)
        row = (await client.get("/api/history")).json()["items"][0]
    assert [name for name, _ in events] == ["planning", "submitted", "progress", "done"]
    assert events[0][1] == {"requestId": "v"}
    assert events[1][1] == {
        "requestId": "v",
        "filmId": "film-v",
        "requestedModel": "film-1",
        "effectiveModel": "film-1",
        "modelFallback": None,
    }
    assert events[2][1] == {"requestId": "v", "progress": 0.5, "stalled": False}
    assert (done["revisedPrompt"], done["usage"], done["mediaType"]) == ("a planned prompt", {"ticks": 7}, "video")
    assert done["providerUrl"] == "https://clips.example/made.mp4"
    assert done["video"] == kept["video"]
    assert done["video"]["duration"] == 6
    assert done["videoContinuity"] == kept["videoContinuity"] == row["videoContinuity"]
    assert "videoSeries" not in done
    assert (kept["kind"], kept["mediaType"], kept["requestId"]) == ("video", "video", "v")
    assert (kept["prompt"], kept["userPrompt"]) == (BODY["prompt"], BODY["prompt"])
    assert (kept["sessionId"], kept["clientNodeId"], kept["usage"]) == ("s_1", "c_1", {"ticks": 7})
    assert served.content == clip().data
    assert (job["status"], job["meta"]["filename"], job["meta"]["filmId"]) == (
        "completed",
        done["filename"],
        "film-v",
    )
    assert (job["meta"]["mode"], job["meta"]["duration"], job["meta"]["resolution"]) == ("text-to-video", 6, "720p")
    assert [event.name for event in sink.events] == ["planning", "submitted", "progress", "done"]
    asked = provider.asked[0]
    assert (asked.mode, asked.duration, asked.resolution, asked.aspect_ratio) == ("text", 6, "720p", "16:9")


async def test_in_the_background_a_clip_is_answered_with_its_id(ima2_client: Any) -> None:
    sink = RecordingSink()
    async with ima2_client(film=plugin(providers=[FilmProvider()], event_sinks=[sink])) as client:
        body = {"prompt": "x", "clientRequestId": "second-name", "async": True}
        answer = await client.post("/api/video/generate", json=body)
        while not sink.named("done"):
            await asyncio.sleep(0.01)
    assert (answer.status_code, answer.json()) == (202, {"requestId": "second-name"})


async def test_notices_become_warnings(ima2_client: Any) -> None:
    notice = ima2.Notice("MODEL_FALLBACK", "Another model made it.", {"from": "film-2", "to": "film-1"})
    async with ima2_client(film=plugin(providers=[FilmProvider(notices=[notice])])) as client:
        done = await film(client)
    assert done["warnings"] == [
        {"code": "MODEL_FALLBACK", "message": "Another model made it.", "from": "film-2", "to": "film-1"}
    ]


WRONG = [
    ({"provider": "echo"}, 400, "VIDEO_PROVIDER_UNSUPPORTED"),
    ({"provider": "nobody"}, 400, "VIDEO_PROVIDER_UNSUPPORTED"),
    ({"provider": 7}, 400, "VIDEO_PROVIDER_UNSUPPORTED"),
    ({"prompt": "  "}, 400, "PROMPT_REQUIRED"),
    ({"prompt": None, "model": "x"}, 400, "PROMPT_REQUIRED"),
    ({"model": "echo-1", "duration": 99}, 400, "FILM_VIDEO_MODEL_INVALID"),
    ({"duration": 0, "resolution": 1}, 400, "FILM_VIDEO_DURATION_INVALID"),
    ({"duration": 16}, 400, "FILM_VIDEO_DURATION_INVALID"),
    ({"duration": 2.5}, 400, "FILM_VIDEO_DURATION_INVALID"),
    ({"duration": "five"}, 400, "FILM_VIDEO_DURATION_INVALID"),
    ({"duration": True}, 400, "FILM_VIDEO_DURATION_INVALID"),
    ({"resolution": "1080p", "aspectRatio": "x"}, 400, "FILM_VIDEO_RESOLUTION_INVALID"),
    ({"resolution": 480}, 400, "FILM_VIDEO_RESOLUTION_INVALID"),
    ({"aspectRatio": "5:4", "continueFromVideo": "../x"}, 400, "FILM_VIDEO_ASPECT_RATIO_INVALID"),
    ({"continueFromVideo": "../x.mp4"}, 400, "FILM_VIDEO_MODE_INVALID"),
    ({"continueFromVideo": "/etc/x.mp4"}, 400, "FILM_VIDEO_MODE_INVALID"),
    ({"continueFromVideo": "x.png"}, 400, "FILM_VIDEO_MODE_INVALID"),
    ({"continueFromVideo": 7}, 400, "FILM_VIDEO_MODE_INVALID"),
    ({"continueFromVideo": "missing.mp4"}, 404, "FILM_VIDEO_FRAME_FAILED"),
    ({"sourceFilename": "../secret.png"}, 400, "FILM_VIDEO_MODE_INVALID"),
    ({"sourceFilename": "a.png.json"}, 400, "FILM_VIDEO_MODE_INVALID"),
    ({"sourceFilename": "a.mp4"}, 400, "FILM_VIDEO_MODE_INVALID"),
    ({"sourceFilename": "missing.png"}, 404, "FILM_VIDEO_SOURCE_NOT_FOUND"),
    ({"referenceFilenames": ["a/b.png"]}, 400, "FILM_VIDEO_MODE_INVALID"),
    ({"sourceImage": "not*base64"}, 400, "REF_NOT_BASE64"),
    ({"sourceImage": "AAAA"}, 400, "REF_NOT_IMAGE"),
    ({"referenceImages": [PNG] * 8}, 400, "FILM_VIDEO_REF_TOO_MANY"),
    ({"referenceImages": [PNG] * 7, "sourceImage": PNG}, 400, "FILM_VIDEO_REF_TOO_MANY"),
    ({"referenceImages": [PNG] * 2, "duration": 12}, 400, "FILM_VIDEO_DURATION_INVALID"),
    ({"requestId": "../x"}, 400, "INVALID_REQUEST_ID"),
    ({"topic": "a" * 201}, 400, "INVALID_TOPIC"),
]


@pytest.mark.parametrize(("wrong", "status", "code"), WRONG, ids=lambda value: str(value)[:40])
async def test_what_is_wrong_is_one_frame_or_a_status_and_leaves_nothing(
    ima2_client: Any, wrong: dict[str, Any], status: int, code: str
) -> None:
    sink, provider = RecordingSink(), FilmProvider()
    async with ima2_client(film=plugin(providers=[provider, EchoProvider()], event_sinks=[sink])) as client:
        body = {**BODY, **wrong}
        events = told(await client.post("/api/video/generate", json=body))
        answer = await client.post("/api/video/generate", json={**body, "async": True})
        listed = (await client.get("/api/inflight?includeTerminal=1")).json()
    assert [name for name, _ in events] == ["error"]
    assert (events[0][1]["status"], events[0][1]["code"]) == (status, code)
    assert (answer.status_code, answer.json()) == (status, events[0][1])
    assert set(answer.json()) - {"guidance"} == {"error", "code", "status", "requestId"}
    assert ("guidance" in answer.json()) == (code == "PROMPT_REQUIRED")
    assert listed == {"jobs": [], "terminalJobs": []}
    assert not sink.events
    assert not provider.asked


async def test_too_many_jobs_are_an_error_frame_and_a_status(ima2_client: Any) -> None:
    provider = FilmProvider(hold="planning")
    async with ima2_client(film=plugin(providers=[provider]), environ={"IMA2_MAX_JOBS": "1"}) as client:
        await client.post("/api/video/generate", json={**BODY, "async": True})
        direct = await client.post("/api/video/generate", json={**BODY, "requestId": "w"})
        again = await client.post("/api/video/generate", json={**BODY, "async": True})
        other = await client.post("/api/video/generate", json={**BODY, "requestId": "w", "async": True})
        changed = await client.post("/api/video/edit", json={"prompt": "x", "videoUrl": "https://c.example/a.mp4"})
        await client.delete("/api/inflight/v")
    assert told(direct)[0][1]["code"] == "TOO_MANY_JOBS"
    assert direct.headers["retry-after"] == "5"
    assert (again.status_code, again.json()["code"]) == (409, "REQUEST_ID_IN_USE")
    assert (other.status_code, other.headers["retry-after"]) == (429, "5")
    assert (changed.status_code, changed.json()["code"]) == (429, "TOO_MANY_JOBS")


# -- inputs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "mode", "pictures"),
    [
        ({}, "text", 0),
        ({"sourceImage": PNG}, "image", 1),
        ({"sourceImage": f"data:image/png;base64,{PNG}"}, "image", 1),
        ({"sourceImage": "https://imgen.example/a.png"}, "image", 1),
        ({"sourceFilename": "a.png"}, "image", 1),
        ({"sourceFilename": "a.png", "sourceImage": "ignored"}, "image", 1),
        ({"referenceImages": [PNG]}, "image", 1),
        ({"referenceImages": [PNG, "", 7, None]}, "image", 1),
        ({"referenceImages": [PNG], "referenceFilenames": ["a.png"], "sourceImage": PNG}, "reference", 3),
        ({"continueFromVideo": "a.mp4"}, "image", 1),
        ({"continueFromVideo": "  "}, "text", 0),
        ({"continueFromVideo": "a.mp4", "referenceImages": [PNG]}, "reference", 2),
        ({"continueFromVideo": "a.mp4", "sourceImage": PNG}, "image", 1),
        ({"providerUrl": "https://imgen.example/a.png", "referenceImages": [PNG] * 9}, "image", 1),
        ({"providerUrl": "blob:x"}, "text", 0),
        ({"mode": "extend"}, "text", 0),
    ],
    ids=str,
)
async def test_the_inputs_decide_the_mode(ima2_client: Any, fields: Any, mode: str, pictures: int) -> None:
    provider = FilmProvider()
    async with ima2_client(film=plugin(providers=[provider])) as client:
        await client.runtime.library.storage.put("a.png", picture().data)
        await client.runtime.library.storage.put("a.mp4", clip().data)
        done = await film(client, **fields)
    asked = provider.asked[0]
    assert asked.mode == mode
    assert len(asked.references) + (asked.source is not None) == pictures
    assert done["video"]["sourceImageFilename"] == fields.get("sourceFilename")


async def test_what_is_left_out_is_named_in_a_warning(ima2_client: Any) -> None:
    provider = FilmProvider()
    async with ima2_client(film=plugin(providers=[provider])) as client:
        done = await film(client, providerUrl="https://imgen.example/a.png", referenceImages=[PNG])
        again = await film(client, referenceImages=[7, PNG])
    assert provider.asked[0].source == ima2.Link("https://imgen.example/a.png")
    assert [(one["code"], one["field"]) for one in done["warnings"]] == [("INPUT_IGNORED", "referenceImages")]
    assert [(one["code"], one["field"]) for one in again["warnings"]] == [("INPUT_IGNORED", "referenceImages")]


async def test_a_clip_goes_on_from_the_last_frame_of_another(ima2_client: Any) -> None:
    provider = FilmProvider()
    async with ima2_client(film=plugin(providers=[provider])) as client:
        first = (await film(client))["filename"]
        done = await film(client, prompt="then it lands", continueFromVideo=f"/generated/{first}")
        third = await film(client, prompt="and rests", continueFromVideo=done["filename"])
    source = provider.asked[1].source
    assert isinstance(source, ima2.Picture)
    assert source == await ima2.frame_of(clip(), "last")
    assert [one["role"] for one in provider.asked[1].options["continuity"]] == ["start"]
    assert [one["role"] for one in provider.asked[2].options["continuity"]] == ["start", "parent"]
    kept = third["videoContinuity"]
    assert (kept["parentFilename"], kept["sourceFrame"]) == (done["filename"], "last")
    assert kept["lineageId"] == f"lineage:{first.removesuffix('.mp4')}"
    assert [(one["role"], one["userPrompt"]) for one in kept["entries"]] == [
        ("start", BODY["prompt"]),
        ("ancestor", "then it lands"),
        ("current", "and rests"),
    ]


async def test_a_clip_that_cannot_be_read_is_not_gone_on_from(ima2_client: Any) -> None:
    async with ima2_client(film=plugin(providers=[FilmProvider()])) as client:
        await client.runtime.library.storage.put("bad.mp4", clip().data[:60] + bytes(500))
        await client.runtime.library.storage.put("no.mp4", b"no clip at all")
        bad = await film(client, continueFromVideo="bad.mp4")
        none = await film(client, continueFromVideo="no.mp4")
    assert (bad["code"], bad["status"]) == ("FILM_VIDEO_FRAME_FAILED", 500)
    assert (none["code"], none["status"]) == ("FILM_VIDEO_FRAME_FAILED", 400)


async def test_a_series_tells_the_provider_what_came_before(ima2_client: Any) -> None:
    provider = FilmProvider()
    async with ima2_client(film=plugin(providers=[provider])) as client:
        await film(client, topic="dogs")
        series = [(await film(client, topic="kites"))["videoSeries"] for _ in range(6)]
    assert series[0] == {"topic": "kites", "chainIndex": 0}
    assert series[-1] == {"topic": "kites", "chainIndex": 5}
    assert provider.asked[1].prompt == BODY["prompt"]
    assert provider.asked[-1].prompt.count("a planned prompt") == 4
    assert provider.asked[-1].prompt.endswith(BODY["prompt"])


async def test_the_black_start_of_a_storyboard_is_cut_off(ima2_client: Any) -> None:
    provider = FilmProvider(clip(3.0))
    async with ima2_client(film=plugin(providers=[provider])) as client:
        done = await film(client, storyboard=True, sourceImage=PNG, duration=3)
        kept = await sidecar(client, done["filename"])
        served = (await client.get(done["url"])).content
    assert provider.asked[0].options["storyboard"] is True
    assert done["video"]["duration"] == 2
    assert (kept["storyboard"], kept["trimmedSeconds"]) == (True, 1.0)
    assert done["warnings"] == []
    with pytest.raises(ima2.Ima2Error):
        await ima2.frame_of(ima2.Picture(served, "video/mp4"), 2.2)


async def test_a_storyboard_clip_that_cannot_be_cut_is_kept_whole_and_says_so(ima2_client: Any) -> None:
    async with ima2_client(film=plugin(providers=[FilmProvider(clip(0.5))])) as client:
        done = await film(client, storyboard=True)
        served = (await client.get(done["url"])).content
    assert served == clip(0.5).data
    assert done["video"]["duration"] == 5
    assert [one["code"] for one in done["warnings"]] == ["STORYBOARD_NOT_TRIMMED"]


# -- ending ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hold", ["planning", "submitted"])
async def test_a_clip_can_be_canceled_at_each_step_and_ends_once(ima2_client: Any, hold: str) -> None:
    provider, sink = FilmProvider(hold=hold), RecordingSink()
    async with ima2_client(film=plugin(providers=[provider], event_sinks=[sink])) as client:
        waiting = asyncio.create_task(client.post("/api/video/generate", json=BODY))
        await provider.held.wait()
        canceled = (await client.delete("/api/inflight/v")).json()
        events = told(await waiting)
        await asyncio.sleep(0.05)
        job = await ended(client)
        listed = (await client.get("/api/history")).json()["items"]
    assert canceled == {"requestId": "v", "active": True, "aborted": True}
    assert (events[-1][0], events[-1][1]["code"], events[-1][1]["status"]) == ("error", "GENERATION_CANCELED", 499)
    assert [event.name for event in sink.events if event.terminal] == ["error"]
    assert sink.events[-1].terminal
    assert provider.canceled == 1
    assert job["status"] == "canceled"
    assert job["meta"].get("filmId") == ("film-v" if hold == "submitted" else None)
    assert listed == []


async def test_a_failure_after_the_order_keeps_what_is_needed_to_find_the_clip(ima2_client: Any) -> None:
    error = ima2.Ima2Error("FILM_DOWNLOAD", 502, "It could not be fetched.", details={"providerUrl": "https://c/1.mp4"})
    sink = RecordingSink()
    async with ima2_client(film=plugin(providers=[FilmProvider(error=error)], event_sinks=[sink])) as client:
        events = told(await client.post("/api/video/generate", json=BODY))
        job = await ended(client)
    assert [name for name, _ in events] == ["planning", "submitted", "progress", "error"]
    assert (events[-1][1]["code"], events[-1][1]["status"]) == ("FILM_DOWNLOAD", 502)
    assert (job["status"], job["httpStatus"], job["errorCode"]) == ("error", 502, "FILM_DOWNLOAD")
    assert (job["meta"]["filmId"], job["meta"]["providerUrl"]) == ("film-v", "https://c/1.mp4")
    assert len([event for event in sink.events if event.terminal]) == 1


async def test_what_is_no_clip_is_not_kept(ima2_client: Any) -> None:
    async with ima2_client(film=plugin(providers=[FilmProvider(picture())])) as client:
        failed = await film(client)
        listed = (await client.get("/api/history")).json()["items"]
        job = await ended(client)
    assert failed["code"] == "PROVIDER_ANSWER_INVALID"
    assert job["meta"]["providerUrl"] == "https://clips.example/made.mp4"
    assert listed == []
