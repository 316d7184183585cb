"""What becomes of a job whose process went away: by what is written down of it, and by who is there now."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ima2 import ImageRequest, Label, VideoRequest
from ima2.jobs.record import JobRecord
from ima2.kernel.registry import Registry
from ima2.models import Receipt
from ima2.studio.recovery import expected_files, judge, stored_outputs
from ima2.testing import EchoProvider, FilmProvider, picture, plugin

ORDERED: dict[str, Any] = {"ordered_at": 5}
PAID: dict[str, Any] = {**ORDERED, "receipt": Receipt("r")}
KEPT: dict[str, Any] = {**ORDERED, "files": ("a.png",)}
HERE = Registry(providers={"echo": EchoProvider(), "film": FilmProvider()})
AWAY = Registry()


def job(provider: str, media: str, **facts: Any) -> JobRecord:
    request = {"media": media, "request": {"provider": provider}}
    return JobRecord("j", "classic", "", {}, request, 1, "queued", 1, "dead", **facts)


@pytest.mark.parametrize(
    ("facts", "here", "away"),
    [
        ({}, "rerun", "wait"),
        ({"status": "queued", "place": 7}, "rerun", "wait"),
        (ORDERED, "unknown", "unknown"),
        (KEPT, "complete", "wait"),
    ],
)
def test_pictures_run_again_only_when_nothing_was_ordered(facts: dict[str, Any], here: str, away: str) -> None:
    assert judge(job("echo", "image", **facts), HERE) == here
    assert judge(job("echo", "image", **facts), AWAY) == away


def test_what_has_a_number_is_collected_by_who_can_and_waits_for_who_is_away() -> None:
    assert judge(job("film", "video", **PAID), HERE) == "collect"
    assert judge(job("film", "video", **PAID), AWAY) == "wait"
    assert judge(job("echo", "image", **PAID), HERE) == "unknown"


def test_a_features_own_job_is_never_begun_again() -> None:
    assert judge(job("", "own"), HERE) == "close"
    assert judge(job("", "own", **ORDERED), HERE) == "unknown"


REQUEST = ImageRequest("a boat", "echo", "echo-1", count=2, options={"mode": "direct"})
LABEL = Label("j", name="{index}", session_id="s_1", client_id="c_1", facts={"kind": "classic", "user_prompt": "boat"})


async def left(runtime: Any, *names: str) -> JobRecord:
    """The record of a job whose files of those names are all that is known of it."""
    for name in names:
        await runtime.library.storage.put(name, picture().data)
    return job("echo", "image")


async def test_a_file_whose_sidecar_was_lost_gets_one_from_the_record(ima2_runtime: Any, caplog: Any) -> None:
    async with ima2_runtime(echo=plugin(providers=[EchoProvider()])) as runtime:
        record = await left(runtime, "0.png", "1.png")
        await runtime.library.storage.put("1.png.json", b"{torn")
        (first, second) = await stored_outputs(runtime.library, record, REQUEST, LABEL, 4)
        kept = json.loads(await runtime.library.storage.get("0.png.json"))
        again = await stored_outputs(runtime.library, record, REQUEST, LABEL, 4)
    expected = {
        "requestId": "j",
        "sessionId": "s_1",
        "clientNodeId": "c_1",
        "kind": "classic",
        "prompt": "a boat",
        "userPrompt": "boat",
        "provider": "echo",
        "model": "echo-1",
        "promptMode": "direct",
    }
    assert {name: kept.get(name) for name in expected} == expected
    assert kept["createdAt"] > 1_700_000_000_000
    assert (first.facts, first.picture) == (kept, picture())
    assert (first.key, first.url, first.index, second.index) == ("0.png", "/generated/0.png", 0, 1)
    assert second.facts["requestId"] == "j"
    assert caplog.text.count("was lost with the process") == 2
    assert [one.created_at for one in again] == [kept["createdAt"], second.facts["createdAt"]]


async def test_what_a_sidecar_knows_is_what_is_told_of_a_file(ima2_runtime: Any) -> None:
    known = {"createdAt": 5, "revisedPrompt": "a red boat", "providerUrl": "https://a.example/b", "model": "other"}
    async with ima2_runtime(echo=plugin(providers=[EchoProvider()])) as runtime:
        record = await left(runtime, "0.png", "1.png")
        storage = runtime.library.storage
        await storage.put("0.png.json", json.dumps(known).encode())
        await storage.put("1.png.json", json.dumps({"model": "echo-1"}).encode())
        (first, second) = await stored_outputs(runtime.library, record, REQUEST, LABEL, 4)
    told = first.artifact
    assert (first.created_at, first.facts) == (5, known)
    assert (told.revised_prompt, told.url, told.model) == ("a red boat", "https://a.example/b", "other")
    assert (second.artifact.model, second.created_at) == (None, record.started_at)


async def test_a_file_that_is_not_there_is_passed_over(ima2_runtime: Any) -> None:
    async with ima2_runtime(echo=plugin(providers=[EchoProvider()])) as runtime:
        record = await left(runtime, "1.png")
        found = await stored_outputs(runtime.library, record, REQUEST, LABEL, 4)
    assert [(one.key, one.index) for one in found] == [("1.png", 1)]


@pytest.mark.parametrize(
    ("request_", "files"),
    [
        (ImageRequest("x", "echo"), 1),
        (ImageRequest("x", "echo", count=3), 3),
        (ImageRequest("x", "echo", sequence=3), 1),
        (VideoRequest("x", "film"), 1),
    ],
)
def test_a_sequence_is_whole_with_one_picture_and_others_with_all(request_: Any, files: int) -> None:
    assert expected_files(request_) == files
