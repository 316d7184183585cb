"""Nodes: what is wrong is JSON with a real status, for streams too, in a shape of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ima2 import Failed, Ima2Error, ImageRequest, Update
from ima2.testing import RecordingSink, StallingProvider, picture
from ima2_plugins import graph
from tests.wire.painter import ASK, PNG, Painter, frames, one_each, parts

PATH = "/api/node/generate"
STREAM = {"accept": "text/event-stream"}
CODES: list[tuple[dict[str, Any], int, str]] = [
    ({"model": "lead"}, 400, "INVALID_IMAGE_MODEL"),
    ({"reasoningEffort": "extreme"}, 400, "INVALID_REASONING_EFFORT"),
    ({"contextMode": "ancestry"}, 400, "CONTEXT_MODE_UNSUPPORTED"),
    ({"prompt": ""}, 400, "INVALID_PROMPT"),
    ({"prompt": 7}, 400, "INVALID_PROMPT"),
    ({"prompt": "x" * 32_001}, 400, "PROMPT_TOO_LONG"),
    ({"references": "x"}, 400, "REF_NOT_ARRAY"),
    ({"references": ["!"]}, 400, "REF_NOT_BASE64"),
    ({"moderation": "none"}, 400, "INVALID_MODERATION"),
    ({"parentNodeId": "n_nobody"}, 404, "NODE_NOT_FOUND"),
    ({"parentNodeId": "../etc"}, 404, "NODE_NOT_FOUND"),
    ({"parentNodeId": 7}, 404, "NODE_NOT_FOUND"),
    ({"externalSrc": "missing.png"}, 404, "NODE_NOT_FOUND"),
    ({"externalSrc": "../../etc/passwd"}, 400, "NODE_SOURCE_INVALID"),
    ({"externalSrc": "/generated/a.png"}, 400, "NODE_SOURCE_INVALID"),
    ({"externalSrc": 7}, 400, "NODE_SOURCE_INVALID"),
    ({"externalSrc": "kite.png", "references": [PNG] * 3}, 400, "PAINTER_REF_TOO_MANY"),
]


async def test_what_is_wrong_has_its_code_inside_and_on_top(ima2_client: Any) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter), graph=graph) as client:
        await client.runtime.library.storage.put("kite.png", picture().data)
        for wrong, status, code in CODES:
            for headers in ({}, STREAM):
                body = {**ASK, "requestId": "fn_1", **wrong}
                answer = await client.post(PATH, json=body, headers=headers)
                told = answer.json()
                assert (answer.status_code, told["error"]["code"], told["code"]) == (status, code, code), wrong
                assert told["error"]["message"] == told["message"]
                assert (told["status"], told["requestId"]) == (status, "fn_1")
        parents = [
            (await client.post(PATH, json={**ASK, "parentNodeId": parent})).json()["parentNodeId"]
            for parent in ("n_nobody", "../etc", 7)
        ]
    assert parents == ["n_nobody", None, None]
    assert painter.asked == []


async def test_a_root_node_and_its_child_answer_in_one_shape(ima2_client: Any) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter), graph=graph) as client:
        root = (await client.post(PATH, json={**ASK, "requestId": "fn_1"})).json()
        more = {"parentNodeId": root["nodeId"], "references": [PNG], "contextMode": "parent-plus-refs"}
        child = (await client.post(PATH, json={**ASK, **more})).json()
        alone = (await client.post(PATH, json={**ASK, **more, "contextMode": "parent-only"})).json()
        looked_up = (await client.get(f"/api/node/{child['nodeId']}")).json()
        kept = await client.runtime.library.storage.get(root["filename"])
    assert (root["parentNodeId"], root["requestId"], root["refsCount"]) == (None, "fn_1", 0)
    assert (root["contextMode"], root["searchMode"], root["webSearchCalls"]) == ("parent-plus-refs", "on", 1)
    assert root["filename"] == f"{root['nodeId']}.png"
    assert (child["parentNodeId"], child["refsCount"], alone["refsCount"]) == (root["nodeId"], 1, 0)
    assert [one.source is not None for one in painter.asked] == [False, True, True]
    assert getattr(painter.asked[1].source, "data", None) == kept
    assert [len(one.references) for one in painter.asked] == [0, 1, 0]
    assert (looked_up["nodeId"], looked_up["url"]) == (child["nodeId"], child["url"])
    assert looked_up["meta"]["parentNodeId"] == root["nodeId"]


async def test_a_root_on_a_stream_shows_two_previews_and_plain_json_none(ima2_client: Any) -> None:
    painter, sink = Painter(), RecordingSink()
    async with ima2_client(parts=parts(painter, sink), graph=graph) as client:
        told = frames(await client.post(PATH, json={**ASK, "requestId": "fn_1"}, headers=STREAM))
        await client.post(PATH, json={**ASK, "requestId": "fn_2"})
        accepted = await client.post(PATH, json={**ASK, "requestId": "fn_3", "async": True})
        await client.runtime.jobs.wait("fn_3")
        child = {**ASK, "parentNodeId": told[-1][1]["nodeId"]}
        grown = frames(await client.post(PATH, json=child, headers=STREAM))
    assert [name for name, _ in told] == ["phase", "partial", "partial", "done"]
    assert told[0][1] == {"requestId": "fn_1", "phase": "streaming"}
    assert set(told[1][1]) == {"requestId", "image", "index"}
    assert (accepted.status_code, accepted.json()) == (202, {"requestId": "fn_3"})
    assert [one.partials for one in painter.asked] == [2, 0, 2, 0]
    assert [name for name, _ in grown] == ["phase", "done"]
    assert [event.name for event in sink.events if event.job_id == "fn_2" and event.terminal] == ["done"]


@pytest.mark.parametrize(
    ("fields", "searches"),
    [({}, True), ({"searchMode": "off"}, False), ({"searchMode": "auto"}, True), ({"webSearchEnabled": False}, False)],
)
async def test_a_search_is_turned_off_by_either_of_two_fields(
    ima2_client: Any, fields: dict[str, Any], searches: bool
) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter), graph=graph) as client:
        answer = (await client.post(PATH, json={**ASK, **fields})).json()
    assert (painter.asked[0].options["webSearch"], answer["webSearchEnabled"]) == (searches, searches)
    assert answer["searchMode"] == fields.get("searchMode", "on")


def refuses(request: ImageRequest) -> Iterable[Update | Exception]:
    yield Failed(0, Ima2Error("PAINT_DRIED", 502, "No.", upstream_type="t", details={"retryKind": "again"}))


async def test_a_failure_of_the_work_counts_its_inputs(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(refuses)), graph=graph) as client:
        await client.runtime.library.storage.put("kite.png", picture().data)
        body = {**ASK, "externalSrc": "kite.png", "references": [PNG], "requestId": "fn_1"}
        answer = await client.post(PATH, json=body)
        told = frames(await client.post(PATH, json={**body, "requestId": "fn_2"}, headers=STREAM))
    data = answer.json()
    assert (answer.status_code, data["code"], data["error"]["code"]) == (502, "PAINT_DRIED", "PAINT_DRIED")
    assert (data["refsCount"], data["inputImageCount"]) == (1, 2)
    assert (data["upstreamCode"], data["upstreamType"], data["upstreamParam"]) == ("PAINT_DRIED", "t", None)
    assert (data["retryKind"], data["diagnosticReason"], data["errorEventCount"]) == ("again", None, None)
    assert [name for name, _ in told] == ["phase", "error"]
    assert told[1][1] == {**data, "requestId": "fn_2"}


async def test_a_node_beyond_the_limit_is_refused_in_json_even_to_a_stream(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter()), stall=parts(StallingProvider()), graph=graph) as client:
        for number in range(12):
            waiting = {"prompt": "x", "provider": "stall", "requestId": f"j{number}", "async": True}
            assert (await client.post("/api/generate", json=waiting)).status_code == 202
        full = await client.post(PATH, json={**ASK, "requestId": "fn_1"}, headers=STREAM)
        same = await client.post(PATH, json={**ASK, "requestId": "j1"}, headers=STREAM)
    assert (full.status_code, full.headers["retry-after"], full.json()["code"]) == (429, "5", "TOO_MANY_JOBS")
    assert full.json()["error"]["code"] == "TOO_MANY_JOBS"
    assert (same.status_code, same.json()["error"]["code"]) == (409, "REQUEST_ID_IN_USE")


async def test_a_node_that_does_not_exist_is_not_found(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(one_each)), graph=graph) as client:
        for node in ("n_nobody", "a.b", "x" * 129):
            answer = await client.get(f"/api/node/{node}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NODE_NOT_FOUND")
