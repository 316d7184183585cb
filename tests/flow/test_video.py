"""Clips through the wire: made, continued, changed, looked into, canceled, and collected after a restart."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.upstreams import xai
from tests.upstreams.world import World, running

import ima2
from ima2.assemble import assemble, open_house
from ima2.testing import EchoProvider, FilmProvider, MemoryStorage, RecordingSink, clip, picture, plugin

PNG = base64.b64encode(picture().data).decode()
BODY = {"prompt": "a red kite over dunes", "requestId": "v"}


def told(answer: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream."""
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def film(client: Any, **fields: Any) -> dict[str, Any]:
    """The last event's data of one direct request."""
    return told(await client.post("/api/video/generate", json={**BODY, **fields}))[-1][1]


async def sidecar(client: Any, filename: str) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(await client.house.library.storage.get(f"{filename}.json"))
    return value


async def ended(client: Any) -> dict[str, Any]:
    """The newest job that has ended."""
    listed = await client.get("/api/inflight?kind=video&includeTerminal=1")
    job: dict[str, Any] = listed.json()["terminalJobs"][0]
    return job


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
        "xaiVideoRequestId": "film-v",
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
    assert (job["status"], job["meta"]["filename"], job["meta"]["xaiVideoRequestId"]) == (
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
        await client.house.library.storage.put("a.png", picture().data)
        await client.house.library.storage.put("a.mp4", clip().data)
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
        await client.house.library.storage.put("bad.mp4", clip().data[:60] + bytes(500))
        await client.house.library.storage.put("no.mp4", b"no clip at all")
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
    assert job["meta"].get("xaiVideoRequestId") == ("film-v" if hold == "submitted" else None)
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
    assert (job["meta"]["xaiVideoRequestId"], job["meta"]["providerUrl"]) == ("film-v", "https://c/1.mp4")
    assert len([event for event in sink.events if event.terminal]) == 1


async def test_what_is_no_clip_is_not_kept(ima2_client: Any) -> None:
    async with ima2_client(film=plugin(providers=[FilmProvider(picture())])) as client:
        failed = await film(client)
        listed = (await client.get("/api/history")).json()["items"]
        job = await ended(client)
    assert failed["code"] == "PROVIDER_ANSWER_INVALID"
    assert job["meta"]["providerUrl"] == "https://clips.example/made.mp4"
    assert listed == []


# -- changing, looking into, describing ---------------------------------------------------------------


async def test_a_clip_of_the_gallery_is_edited_and_extended(ima2_client: Any) -> None:
    provider, sink = FilmProvider(), RecordingSink()
    async with ima2_client(film=plugin(providers=[provider], event_sinks=[sink])) as client:
        first = (await film(client))["filename"]
        edited = (await client.post("/api/video/edit", json={"prompt": "dusk", "videoUrl": first})).json()
        body = {"prompt": "on", "videoUrl": f"/generated/{first}", "duration": 4, "requestId": "longer"}
        longer = (await client.post("/api/video/extend", json=body)).json()
        kept = await sidecar(client, edited["filename"])
        job = await ended(client)
    assert {"requestId", "url", "filename", "sourceUrl", "duration", "model"} <= set(edited)
    assert edited["requestId"].startswith("film-")
    assert (provider.asked[1].mode, provider.asked[1].clip) == ("edit", clip())
    assert (provider.asked[2].mode, provider.asked[2].duration, longer["duration"]) == ("extend", 4, 9)
    assert kept["video"] == {
        "operation": "edit",
        "duration": 5,
        "source": {"kind": "generated-file", "filename": first},
        "sourceUrl": {"kind": "url", "origin": "https://clips.example", "pathname": "made.mp4"},
        "contentType": "video/mp4",
    }
    assert [one["role"] for one in kept["videoContinuity"]["entries"]] == ["start", "current"]
    assert kept["videoContinuity"]["parentFilename"] == first
    assert (job["requestId"], job["status"], job["meta"]["mode"]) == ("longer", "completed", "video-extend")
    assert len([event for event in sink.events if event.terminal]) == 3


async def test_clips_from_elsewhere_go_as_they_are(ima2_client: Any) -> None:
    provider = FilmProvider()
    data = "data:video/mp4;base64," + base64.b64encode(clip().data).decode()
    async with ima2_client(film=plugin(providers=[provider])) as client:
        for url in ("https://c.example/a.mp4?token=secret", "file-abc_1", data):
            answer = await client.post("/api/video/edit", json={"prompt": "x", "videoUrl": url})
            assert answer.status_code == 200
            assert "secret" not in json.dumps(await sidecar(client, answer.json()["filename"]))
    assert [asked.clip for asked in provider.asked] == [
        ima2.Link("https://c.example/a.mp4?token=secret"),
        ima2.Link("file-abc_1"),
        clip(),
    ]


CHANGES = [
    ("edit", {"prompt": None}, 400, "PROMPT_REQUIRED"),
    ("edit", {"videoUrl": None}, 400, "VIDEO_URL_REQUIRED"),
    ("edit", {"videoUrl": 7}, 400, "VIDEO_URL_REQUIRED"),
    ("edit", {"model": "film-2"}, 400, "FILM_VIDEO_MODEL_INVALID"),
    ("edit", {"model": 7}, 400, "FILM_VIDEO_MODEL_INVALID"),
    ("extend", {"duration": 11}, 400, "FILM_VIDEO_DURATION_INVALID"),
    ("extend", {"duration": 1}, 400, "FILM_VIDEO_DURATION_INVALID"),
    ("extend", {"duration": 2.5}, 400, "FILM_VIDEO_DURATION_INVALID"),
    ("edit", {"videoUrl": "missing.mp4"}, 404, "VIDEO_NOT_FOUND"),
    ("edit", {"videoUrl": "../../etc/passwd"}, 400, "VIDEO_URL_INVALID"),
    ("edit", {"videoUrl": "/etc/a.mp4"}, 400, "VIDEO_URL_INVALID"),
    ("edit", {"videoUrl": "a.png"}, 400, "VIDEO_URL_INVALID"),
    ("edit", {"videoUrl": "no.mp4"}, 400, "VIDEO_INVALID"),
    ("edit", {"videoUrl": "data:video/mp4;base64,AAAA"}, 400, "VIDEO_INVALID"),
    ("edit", {"videoUrl": "data:text/html,x"}, 400, "VIDEO_URL_INVALID"),
    ("edit", {"provider": "echo"}, 400, "VIDEO_PROVIDER_UNSUPPORTED"),
]


@pytest.mark.parametrize(("verb", "wrong", "status", "code"), CHANGES, ids=str)
async def test_a_change_that_makes_no_sense_is_refused_in_the_bare_shape(
    ima2_client: Any, verb: str, wrong: dict[str, Any], status: int, code: str
) -> None:
    provider = FilmProvider()
    async with ima2_client(film=plugin(providers=[provider, EchoProvider()])) as client:
        await client.house.library.storage.put("no.mp4", b"no clip at all")
        body = {"prompt": "x", "videoUrl": "https://c.example/a.mp4", **wrong}
        answer = await client.post(f"/api/video/{verb}", json=body)
        listed = (await client.get("/api/inflight?includeTerminal=1")).json()
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) - {"guidance"} == {"error", "code"}
    assert listed == {"jobs": [], "terminalJobs": []}
    assert not provider.asked


async def test_a_change_that_fails_upstream_has_the_upstreams_status(ima2_client: Any) -> None:
    error = ima2.Ima2Error("FILM_BLOCKED", 502, "The clip was not allowed.")
    async with ima2_client(film=plugin(providers=[FilmProvider(error=error)])) as client:
        answer = await client.post("/api/video/edit", json={"prompt": "x", "videoUrl": "https://c.example/a.mp4"})
        job = await ended(client)
    assert (answer.status_code, answer.json()["code"]) == (502, "FILM_BLOCKED")
    assert job["meta"]["xaiVideoRequestId"].startswith("film-")


async def test_a_frame_is_a_png(ima2_client: Any) -> None:
    async with ima2_client(film=plugin(providers=[FilmProvider()])) as client:
        await client.house.library.storage.put("a.mp4", clip().data)
        last = await client.get("/api/video/frame?file=a.mp4")
        half = await client.get("/api/video/frame?file=a.mp4&position=0.5")
        wrong = ["", "file=..%2Fx.mp4", "file=x.png", "file=x.mp4", "file=a.mp4&position=x", "file=a.mp4&position=9"]
        refused = [(await client.get(f"/api/video/frame?{query}")).status_code for query in wrong]
    assert (last.headers["content-type"], half.headers["content-type"]) == ("image/png", "image/png")
    assert last.content == (await ima2.frame_of(clip(), "last")).data
    assert half.content == (await ima2.frame_of(clip(), 0.5)).data
    assert refused == [400, 400, 400, 404, 400, 500]


async def test_a_clip_is_described_from_two_frames(ima2_client: Any) -> None:
    async with ima2_client(film=plugin(providers=[FilmProvider()])) as client:
        await client.house.library.storage.put("a.mp4", clip().data)
        answer = await client.post("/api/video/analyze", json={"videoUrl": "a.mp4"})
        refused = [
            (await client.post("/api/video/analyze", json={"videoUrl": url})).status_code
            for url in (None, "https://c.example/a.mp4", "data:video/mp4;base64,AA.mp4", "x.png", "missing.mp4")
        ]
    assert answer.json() == {
        "analysis": "2 frames were seen.",
        "model": "film-words",
        "method": "first-last-frame",
    }
    assert refused == [400, 400, 400, 400, 404]


async def test_a_node_may_grow_from_the_end_of_a_clip(ima2_client: Any) -> None:
    echo = EchoProvider()
    async with ima2_client(parts=plugin(providers=[echo])) as client:
        await client.house.library.storage.put("1795_ab.mp4", clip().data)
        await client.house.library.storage.put("bad.mp4", b"no clip")
        body = {"prompt": "x", "provider": "echo", "parentNodeId": "1795_ab"}
        grown = await client.post("/api/node/generate", json=body)
        bad = await client.post("/api/node/generate", json={**body, "parentNodeId": "bad"})
    assert grown.status_code == 200
    assert echo.asked[0].source == await ima2.frame_of(clip(), "last")
    assert (bad.status_code, bad.json()["code"]) == (400, "NODE_SOURCE_INVALID")


# -- after a restart ---------------------------------------------------------------------------------


async def test_an_ordered_clip_is_collected_after_a_polite_stop_and_ends_once(ima2_client: Any) -> None:
    before, after, sink, heard = FilmProvider(hold="submitted"), FilmProvider(), RecordingSink(), RecordingSink()
    body = {**BODY, "topic": "kites", "sessionId": "s_1", "duration": 7, "aspectRatio": "16:9"}
    async with ima2_client(film=plugin(providers=[before], event_sinks=[sink])) as client:
        waiting = asyncio.create_task(client.post("/api/video/generate", json=body))
        await before.held.wait()
    lost = told(await waiting)
    async with ima2_client(film=plugin(providers=[after], event_sinks=[heard])) as client:
        while not heard.named("done"):
            await asyncio.sleep(0.01)
        job = await ended(client)
        kept = await sidecar(client, job["meta"]["filename"])
    assert lost[-1][1]["code"] == "SERVER_RESTARTED"
    assert not [event for event in sink.events if event.terminal]
    assert [one.id for one in after.resumed] == ["film-v"]
    assert not after.asked
    done = heard.named("done")[0].data
    assert [event.name for event in heard.events] == ["progress", "done"]
    assert (done["requestId"], done["videoSeries"]) == ("v", {"topic": "kites", "chainIndex": 0})
    assert done["video"]["aspectRatio"] == "16:9"
    assert (job["status"], job["meta"]["xaiVideoRequestId"]) == ("completed", "film-v")
    assert (kept["prompt"], kept["sessionId"], kept["revisedPrompt"]) == (BODY["prompt"], "s_1", "a planned prompt")


async def test_a_clip_that_is_collected_twice_is_one_file(ima2_client: Any) -> None:
    """The process died when the clip was in the gallery, but not yet in the job's record."""
    first, again, heard = FilmProvider(), FilmProvider(), RecordingSink()
    parts = {"memory": plugin(storages=[MemoryStorage()]), "environ": {"IMA2_STORAGE": "memory"}}
    async with ima2_client(film=plugin(providers=[first]), **parts) as client:
        name = (await film(client))["filename"]
        back = "UPDATE ima2_jobs SET status = 'active', owner = 'dead', finished_at = NULL"
        await client.house.database.write(lambda connection: connection.exec_driver_sql(back))
    async with ima2_client(film=plugin(providers=[again], event_sinks=[heard]), **parts) as client:
        while not heard.named("done"):
            await asyncio.sleep(0.01)
        assert heard.named("done")[0].data["filename"] == name
        assert [row["filename"] for row in (await client.get("/api/history")).json()["items"]] == [name]
    assert len(again.resumed) == 1


async def test_a_process_that_soon_ends_leaves_ordered_clips_to_one_that_stays(
    ima2_client: Any, tmp_path: Path
) -> None:
    before, brief, after = FilmProvider(hold="submitted"), FilmProvider(), FilmProvider()
    async with ima2_client(film=plugin(providers=[before])) as client:
        await client.post("/api/video/generate", json={**BODY, "async": True})
        await before.held.wait()
    parts = {"film": plugin(providers=[brief]), "memory": plugin(storages=[MemoryStorage()])}
    environ = {"IMA2_CONFIG_DIR": str(tmp_path / "home"), "IMA2_STORAGE": "memory"}
    made = assemble(environ=environ, extra=parts, discover_entry_points=False)
    async with open_house(made, background=False) as house:
        assert house.jobs.count == 0
    async with ima2_client(film=plugin(providers=[after])) as client:
        while not after.resumed:
            await asyncio.sleep(0.01)
    assert not brief.resumed


async def test_a_clip_that_was_not_ordered_yet_is_closed_as_interrupted(ima2_client: Any) -> None:
    before, after = FilmProvider(hold="planning"), FilmProvider()
    async with ima2_client(film=plugin(providers=[before])) as client:
        await client.post("/api/video/generate", json={**BODY, "async": True})
        await before.held.wait()
    async with ima2_client(film=plugin(providers=[after])) as client:
        job = await ended(client)
    assert (job["status"], job["errorCode"]) == ("error", "SERVER_RESTARTED")
    assert not after.asked
    assert not after.resumed


async def test_an_ordered_clip_whose_provider_is_gone_is_closed_with_its_number(ima2_client: Any) -> None:
    before = FilmProvider(hold="submitted")
    async with ima2_client(film=plugin(providers=[before])) as client:
        await client.post("/api/video/generate", json={**BODY, "async": True})
        await before.held.wait()
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        job = await ended(client)
    assert (job["status"], job["errorCode"]) == ("error", "SERVER_RESTARTED")
    assert job["meta"]["xaiVideoRequestId"] == "film-v"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_servers_clip_is_collected_and_never_bought_twice(serve: Any, how: int) -> None:
    world = World()
    with running(world, [*xai.routes(world)]):
        served = serve(
            plugins="local_storage,sse,grok",
            IMA2_XAI_BASE_URL=f"{world.base_url}/xai/v1",
            XAI_API_KEY=xai.KEY,
            IMA2_GROK_VIDEO_POLL_INTERVAL_MS="100",
        )
        world.state["xai.polls"] = [(202, {"status": "pending", "progress": 10})] * 10_000
        body = {"prompt": "a kite", "provider": "grok-api", "requestId": "paid", "duration": 6, "async": True}
        assert served.client.post("/api/video/generate", json=body).status_code == 202

        def job(ended: str = "") -> dict[str, Any]:
            listed = served.client.get("/api/inflight?kind=video&includeTerminal=1").json()
            found: dict[str, Any] = next(iter(listed["terminalJobs" if ended else "jobs"]), {})
            return found

        until(lambda: job().get("meta", {}).get("xaiVideoRequestId") == "vid-1")
        served.stop(how)
        world.state["xai.polls"] = []
        served.start()
        until(lambda: job("yes"))
        done = job("yes")
        assert (done["requestId"], done["status"]) == ("paid", "completed")
        row = served.client.get("/api/history").json()["items"][0]
    assert row["filename"] == done["meta"]["filename"]
    assert (row["prompt"], row["video"]["xaiVideoRequestId"]) == ("a kite", "vid-1")
    assert len(world.calls("videos/generations")) == 1


def until(check: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
