"""What holds on every route: ids on answers, caching, errors as JSON, and the gallery in groups."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ima2.testing import EchoProvider
from tests.wire.painter import ASK, Painter, frames, parts


async def test_every_answer_carries_an_id_the_clients_own_where_it_is_one(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter())) as client:
        for sent in ("abc.DEF_1:2-3", "x" * 128):
            assert (await client.get("/api/health", headers={"x-request-id": sent})).headers["x-request-id"] == sent
        for sent in ("a b", "x" * 129, "", "a/b"):
            given = (await client.get("/api/health", headers={"x-request-id": sent})).headers["x-request-id"]
            assert re.fullmatch(r"req_[0-9a-f-]{36}", given)
        for path in ("/api/nowhere", "/api/history", "/api/inflight"):
            answer = await client.get(path)
            assert answer.headers["x-request-id"].startswith("req_")
            assert answer.headers["cache-control"] == "no-store, max-age=0"
            assert "etag" not in answer.headers


async def test_a_job_without_an_id_of_its_own_has_the_requests(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter())) as client:
        for body, headers, name in (
            ({}, {"x-request-id": "h-1"}, "h-1"),
            ({"requestId": "b-1"}, {"x-request-id": "h-2"}, "b-1"),
            ({"requestId": ""}, {"x-request-id": "h-3"}, "h-3"),
        ):
            answer = await client.post("/api/generate", json={**ASK, **body}, headers=headers)
            assert answer.json()["requestId"] == name
            refused = await client.post("/api/generate", json={**ASK, **body, "prompt": ""}, headers=headers)
            assert refused.json()["requestId"] == name


async def test_a_stream_and_its_refusal_carry_the_id_of_the_job(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter())) as client:
        for body in ({}, {"prompt": ""}):
            answer = await client.post("/api/generate/multimode", json={**ASK, **body}, headers={"x-request-id": "h-1"})
            assert answer.headers["x-request-id"] == "h-1"
            assert frames(answer)[-1][1]["requestId"] == "h-1"


async def test_what_is_not_there_or_not_allowed_is_told_as_json(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter())) as client:
        lost, wrong = await client.get("/api/nowhere"), await client.get("/api/generate")
        private = await client.get("/generated/a.png.json")
    assert (lost.status_code, lost.json()["code"]) == (404, "NOT_FOUND")
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")
    assert private.status_code == 404


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter()), environ={"IMA2_BODY_LIMIT": "2kb"}) as client:
        answer = await client.post("/api/generate", json={**ASK, "prompt": "x" * 3000})
        fits = await client.post("/api/generate", json={**ASK, "prompt": "x" * 1500})
    assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert fits.status_code == 200


async def test_the_gallery_comes_in_groups_of_sessions_newest_first(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(EchoProvider())) as client:
        for name, session in (("a", "s_1"), ("b", None), ("c", "s_2"), ("d", "s_1")):
            body = {"prompt": "x", "provider": "echo", "requestId": name, "sessionId": session}
            assert (await client.post("/api/generate", json=body)).status_code == 200
        grouped = (await client.get("/api/history?groupBy=session")).json()
        flat = (await client.get("/api/history")).json()
        page = (await client.get("/api/history?limit=3")).json()
        cursor = page["nextCursor"]
        rest = (await client.get("/api/history", params={"limit": 3, **cursor})).json()
        own = (await client.get("/api/history?sessionId=s_1")).json()["items"]
    assert [(one["sessionId"], [row["requestId"] for row in one["items"]]) for one in grouped["sessions"]] == [
        ("s_1", ["d", "a"]),
        ("s_2", ["c"]),
    ]
    assert [row["requestId"] for row in grouped["loose"]] == ["b"]
    assert grouped["total"] == flat["total"] == 4
    assert [row["requestId"] for row in (*page["items"], *rest["items"])] == ["d", "c", "b", "a"]
    assert (flat["nextCursor"], rest["nextCursor"]) == (None, None)
    assert cursor == {"before": page["items"][-1]["createdAt"], "beforeFilename": page["items"][-1]["filename"]}
    assert [row["requestId"] for row in own] == ["d", "a"]


async def test_a_limit_that_is_none_counts_as_absent(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(EchoProvider())) as client:
        await client.post("/api/generate", json={"prompt": "x", "provider": "echo", "n": 3})
        for sent, rows in (("2", 2), ("0", 3), ("-1", 3), ("x", 3), ("", 3), ("9999", 3)):
            assert len((await client.get("/api/history", params={"limit": sent})).json()["items"]) == rows


async def test_a_bug_inside_is_one_answer_and_one_line_without_anything_private(
    ima2_client: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(query: Any) -> Any:
        raise RuntimeError("the prompt was: a secret plan")

    async with ima2_client(parts=parts(Painter())) as client:
        client._transport.raise_app_exceptions = False
        monkeypatch.setattr(client.runtime.library, "rows", broken)
        answer = await client.get("/api/history", params={"sessionId": "private"}, headers={"x-request-id": "h-1"})
        after = await client.get("/api/health")
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert answer.headers["x-request-id"] == "h-1"
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert "RuntimeError on /api/history, at " in told[0]
    assert "test_conventions.py" in told[0]
    assert "secret" not in caplog.text + answer.text
    assert "private" not in told[0]
    assert after.status_code == 200
