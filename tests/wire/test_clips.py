"""Clips: where the original of a change may come from, and phases that the list of jobs shows meanwhile."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from ima2 import Ima2Error, Link
from ima2.testing import FilmProvider, clip, plugin
from tests.wire.painter import frames

BODY = {"prompt": "at dusk"}


def film(**able: Any) -> FilmProvider:
    made = FilmProvider()
    made.capabilities = replace(made.capabilities, **able)
    return made


@pytest.mark.parametrize(
    ("url", "links", "code"),
    [
        ("https://c.example/a.mp4", False, "VIDEO_URL_INVALID"),
        ("file-abc_1", False, "VIDEO_URL_INVALID"),
        ("https://c.example/" + "a" * 3983, True, "VIDEO_URL_INVALID"),
        ("data:video/mp4;base64,!!!!", True, "VIDEO_URL_INVALID"),
        ("data:image/png;base64,AAAA", True, "VIDEO_URL_INVALID"),
        ("data:video/mp4,AAAA", True, "VIDEO_URL_INVALID"),
        ("../a.mp4", True, "VIDEO_URL_INVALID"),
        ("a.webm", True, "VIDEO_URL_INVALID"),
    ],
)
async def test_an_original_that_cannot_be_used_is_refused(ima2_client: Any, url: str, links: bool, code: str) -> None:
    provider = film(links=links)
    async with ima2_client(film=plugin(providers=[provider])) as client:
        for verb in ("edit", "extend"):
            answer = await client.post(f"/api/video/{verb}", json={**BODY, "videoUrl": url})
            assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert provider.asked == []


@pytest.mark.parametrize(
    "url", ["https://c.example/a.mp4", "file-abc_1", "https://c.example/" + "a" * 3982], ids=["url", "file id", "long"]
)
async def test_an_address_or_a_file_of_the_upstream_goes_through_as_it_is(ima2_client: Any, url: str) -> None:
    provider = film()
    async with ima2_client(film=plugin(providers=[provider])) as client:
        answer = await client.post("/api/video/edit", json={**BODY, "videoUrl": url})
    assert answer.status_code == 200
    assert provider.asked[0].clip == Link(url)


async def test_a_clip_of_the_gallery_or_sent_along_goes_in_as_bytes(ima2_client: Any) -> None:
    provider, sent = film(), base64.b64encode(clip().data).decode()
    async with ima2_client(film=plugin(providers=[provider])) as client:
        await client.runtime.library.storage.put("a.mp4", clip().data)
        for url in ("a.mp4", "/generated/a.mp4", f"data:video/mp4;base64,{sent}"):
            assert (await client.post("/api/video/extend", json={**BODY, "videoUrl": url})).status_code == 200
    assert [one.clip for one in provider.asked] == [clip()] * 3
    assert {(one.mode, one.duration) for one in provider.asked} == {("extend", 6)}


@pytest.mark.parametrize(("hold", "phase"), [("planning", "planning"), ("submitted", "streaming")])
async def test_the_list_of_jobs_shows_where_a_clip_stands(ima2_client: Any, hold: str, phase: str) -> None:
    provider = FilmProvider(hold=hold)
    async with ima2_client(film=plugin(providers=[provider])) as client:
        accepted = await client.post("/api/video/generate", json={**BODY, "requestId": "v", "async": True})
        await provider.held.wait()
        (job,) = (await client.get("/api/inflight?kind=video")).json()["jobs"]
        others = (await client.get("/api/inflight?kind=classic")).json()["jobs"]
        await client.delete("/api/inflight/v")
        (ended,) = (await client.get("/api/inflight?kind=video&includeTerminal=true")).json()["terminalJobs"]
    assert accepted.json() == {"requestId": "v"}
    assert (job["phase"], job["kind"], job["prompt"], others) == (phase, "video", "at dusk", [])
    assert job["phaseAt"] >= job["startedAt"]
    assert (ended["status"], ended["httpStatus"], ended["errorCode"]) == ("canceled", 499, "GENERATION_CANCELED")
    assert ended["durationMs"] == ended["finishedAt"] - ended["startedAt"]


async def test_a_clip_that_fails_ends_its_stream_with_one_flat_error(ima2_client: Any) -> None:
    error = Ima2Error("FILM_EXPIRED", 502, "Too late.", details={"providerUrl": "https://c.example/a.mp4"})
    async with ima2_client(film=plugin(providers=[FilmProvider(error=error)])) as client:
        told = frames(await client.post("/api/video/generate", json={**BODY, "requestId": "v"}))
        (ended,) = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"]
    assert [name for name, _ in told] == ["planning", "submitted", "progress", "error"]
    assert told[-1][1] == {
        "error": "Too late.",
        "code": "FILM_EXPIRED",
        "status": 502,
        "requestId": "v",
        "providerUrl": "https://c.example/a.mp4",
    }
    assert ended["meta"]["providerUrl"] == "https://c.example/a.mp4"


async def test_a_clip_of_a_series_is_listed_with_the_users_own_words(ima2_client: Any) -> None:
    provider = film()
    async with ima2_client(film=plugin(providers=[provider])) as client:
        for words in ("first", "second"):
            body = {"prompt": words, "topic": "boats", "requestId": words}
            told = frames(await client.post("/api/video/generate", json=body))
        listed = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"]
        row = (await client.get("/api/history")).json()["items"][0]
    assert [job["prompt"] for job in listed] == ["second", "first"]
    assert provider.asked[1].prompt.endswith("second")
    assert provider.asked[1].prompt != "second"
    assert told[-1][1]["videoSeries"] == {"topic": "boats", "chainIndex": 1}
    assert (row["prompt"], row["userPrompt"]) == ("second", "second")
