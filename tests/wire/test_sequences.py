"""Sequences: told picture by picture, on a stream that begins with a phase and ends once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ima2 import Artifact, Ima2Error, ImageRequest, Update
from ima2.testing import RecordingSink, StallingProvider, picture
from tests.wire.painter import ASK, Painter, frames, one_each, parts

PATH = "/api/generate/multimode"


async def test_a_whole_sequence_is_told_in_order(ima2_client: Any) -> None:
    sink = RecordingSink()
    async with ima2_client(parts=parts(Painter(), sink)) as client:
        answer = await client.post(PATH, json={**ASK, "maxImages": 2, "partials": 1, "requestId": "mm-1"})
        job = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"][0]
    told = frames(answer)
    assert [name for name, _ in told] == ["phase", "partial", "image", "partial", "image", "done"]
    assert [event.name for event in sink.events] == [name for name, _ in told]
    assert answer.headers["cache-control"] == "no-cache, no-transform"
    first, last = told[0][1], told[-1][1]
    sequence = first["sequenceId"]
    assert first == {"requestId": "mm-1", "phase": "streaming", "sequenceId": sequence, "maxImages": 2}
    assert set(told[1][1]) == {"requestId", "image", "sequenceId", "index"}
    images = [data for name, data in told if name == "image"]
    assert [(one["sequenceIndex"], one["sequenceTotalReturned"], one["sequenceStatus"]) for one in images] == [
        (1, 1, "partial"),
        (2, 2, "complete"),
    ]
    assert {one["sequenceTotalRequested"] for one in images} == {2}
    assert (last["ok"], last["requestId"], last["sequenceId"]) == (True, "mm-1", sequence)
    assert (last["requested"], last["returned"], last["status"], last["extraIgnored"]) == (2, 2, "complete", 0)
    assert last["elapsed"] == f"{float(last['elapsed']):.1f}"
    assert (last["webSearchCalls"], last["usage"]) == (2, {"total_tokens": 20})
    assert [one["sequenceStatus"] for one in last["images"]] == ["complete", "complete"]
    assert "partial" not in last
    assert (job["httpStatus"], job["meta"]["status"], job["meta"]["imageCount"]) == (200, "complete", 2)


async def test_the_sidecars_of_a_sequence_say_where_each_picture_stands(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter())) as client:
        done = frames(await client.post(PATH, json={**ASK, "maxImages": 3}))[-1][1]
        rows = (await client.get("/api/history")).json()["items"]
    by_name = {row["filename"]: row for row in rows}
    found = [by_name[one["filename"]] for one in done["images"]]
    assert [row["sequenceIndex"] for row in found] == [1, 2, 3]
    assert {(row["sequenceId"], row["sequenceTotalReturned"], row["sequenceStatus"]) for row in found} == {
        (done["sequenceId"], 3, "complete")
    }
    assert {row["kind"] for row in found} == {"multimode-image"}


def breaks(request: ImageRequest) -> Iterable[Update | Exception]:
    yield Artifact(picture(), 0)
    yield Ima2Error("RESPONSES_IMAGE_TIMEOUT", 504, "Too slow.")


async def test_a_sequence_that_breaks_off_keeps_what_came_and_says_why(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(breaks))) as client:
        told = frames(await client.post(PATH, json={**ASK, "maxImages": 3}))
        job = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"][0]
    last = told[-1][1]
    assert [name for name, _ in told] == ["phase", "image", "done"]
    assert (last["status"], last["returned"], last["requested"], last["partial"]) == ("partial", 1, 3, True)
    assert last["warning"] == {"code": "RESPONSES_IMAGE_TIMEOUT", "message": "Too slow."}
    assert (job["status"], job["httpStatus"]) == ("completed", 206)
    assert job["meta"]["partialErrorCode"] == "RESPONSES_IMAGE_TIMEOUT"


@pytest.mark.parametrize(
    ("code", "shown"),
    [("UPSTREAM_5XX", "RESPONSES_IMAGE_ERROR"), ("RATE_LIMITED", "RESPONSES_IMAGE_ERROR"), ("OWN", "OWN")],
)
async def test_a_failure_ends_the_stream_with_the_code_its_clients_know(
    ima2_client: Any, code: str, shown: str
) -> None:
    error = Ima2Error(code, 500, "No.", upstream_code="u", upstream_type="t", upstream_param="p")
    async with ima2_client(parts=parts(Painter(lambda request: [error]))) as client:
        told = frames(await client.post(PATH, json={**ASK, "maxImages": 3, "requestId": "mm-1"}))
    assert [name for name, _ in told] == ["phase", "error"]
    assert told[1][1] | {"sequenceId": ""} == {
        "error": "No.",
        "code": shown,
        "status": 500,
        "requestId": "mm-1",
        "upstreamCode": "u",
        "upstreamType": "t",
        "upstreamParam": "p",
        "sequenceId": "",
        "requested": 3,
        "returned": 0,
    }


@pytest.mark.parametrize(("sent", "length"), [(0, 1), (8, 8), (9, 8), ("x", 1), (2.9, 2), (None, 1)])
async def test_a_length_out_of_range_is_brought_into_it(ima2_client: Any, sent: Any, length: int) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter)) as client:
        told = frames(await client.post(PATH, json={**ASK, "maxImages": sent}))
    assert (painter.asked[0].sequence, told[0][1]["maxImages"], told[-1][1]["returned"]) == (length, length, length)


async def test_a_provider_of_shorter_sequences_is_asked_for_what_it_can(ima2_client: Any) -> None:
    painter = Painter(one_each, sequence=2)
    async with ima2_client(parts=parts(painter)) as client:
        done = frames(await client.post(PATH, json={**ASK, "maxImages": 5}))[-1][1]
    assert painter.asked[0].sequence == 2
    assert (done["requested"], done["returned"], done["status"]) == (5, 2, "partial")


async def test_a_provider_without_sequences_refuses_on_the_stream(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(sequence=0))) as client:
        [(name, data)] = frames(await client.post(PATH, json=ASK))
    assert (name, data["code"], data["status"]) == ("error", "PAINTER_SEQUENCE_UNSUPPORTED", 400)


async def test_what_cannot_be_let_in_is_refused_on_the_stream_with_the_pause_to_make(ima2_client: Any) -> None:
    stall = StallingProvider()
    async with ima2_client(painter=parts(Painter()), stall=parts(stall)) as client:
        for number in range(12):
            waiting = {"prompt": "x", "provider": "stall", "requestId": f"j{number}", "async": True}
            assert (await client.post("/api/generate", json=waiting)).status_code == 202
        same = frames(await client.post(PATH, json={**ASK, "requestId": "j3"}))
        full = await client.post(PATH, json={**ASK, "requestId": "mm-1"})
        background = await client.post(PATH, json={**ASK, "requestId": "mm-1", "async": True})
    assert [(name, data["code"], data["status"]) for name, data in same] == [("error", "REQUEST_ID_IN_USE", 409)]
    [(name, data)] = frames(full)
    assert (full.status_code, full.headers["retry-after"]) == (200, "5")
    assert (name, data["code"], data["status"], data["requestId"]) == ("error", "TOO_MANY_JOBS", 429, "mm-1")
    assert (background.status_code, background.headers["retry-after"]) == (429, "5")
    assert background.json() == data


async def test_in_the_background_the_same_events_go_to_the_bus(ima2_client: Any) -> None:
    sink = RecordingSink()
    async with ima2_client(parts=parts(Painter(), sink)) as client:
        accepted = await client.post(PATH, json={**ASK, "maxImages": 2, "requestId": "bg", "async": True})
        assert (accepted.status_code, accepted.json()) == (202, {"requestId": "bg"})
        await client.runtime.jobs.wait("bg")
    assert [event.name for event in sink.events] == ["phase", "image", "image", "done"]
    assert [event.terminal for event in sink.events] == [False, False, False, True]
