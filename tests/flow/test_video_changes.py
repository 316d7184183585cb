"""Clips changed, looked into and described, through the wire."""

from __future__ import annotations

import base64
import json
from importlib import import_module
from typing import Any

import pytest
from tests.flow.clips import ended, film, sidecar

import ima2
from ima2.testing import EchoProvider, FilmProvider, RecordingSink, clip, plugin


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
        await client.runtime.library.storage.put("no.mp4", b"no clip at all")
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
    assert job["meta"]["filmId"].startswith("film-")


async def test_a_frame_is_a_png(ima2_client: Any) -> None:
    async with ima2_client(film=plugin(providers=[FilmProvider()])) as client:
        await client.runtime.library.storage.put("a.mp4", clip().data)
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
        await client.runtime.library.storage.put("a.mp4", clip().data)
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
    async with ima2_client(graph=import_module("ima2_plugins.graph"), parts=plugin(providers=[echo])) as client:
        await client.runtime.library.storage.put("1795_ab.mp4", clip().data)
        await client.runtime.library.storage.put("bad.mp4", b"no clip")
        body = {"prompt": "x", "provider": "echo", "parentNodeId": "1795_ab"}
        grown = await client.post("/api/node/generate", json=body)
        bad = await client.post("/api/node/generate", json={**body, "parentNodeId": "bad"})
    assert grown.status_code == 200
    assert echo.asked[0].source == await ima2.frame_of(clip(), "last")
    assert (bad.status_code, bad.json()["code"]) == (400, "NODE_SOURCE_INVALID")
