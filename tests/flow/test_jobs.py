"""Admission, cancelling and ending, through the wire."""

from __future__ import annotations

import asyncio
from typing import Any

from ima2.jobs.record import Draft
from ima2.testing import EchoProvider, RecordingSink, StallingProvider, plugin

STALL = {"prompt": "x", "provider": "stall", "async": True}


async def start(client: Any, name: str, **more: Any) -> Any:
    return await client.post("/api/generate", json={**STALL, "requestId": name, **more})


async def test_the_thirteenth_job_is_asked_to_wait_and_nothing_is_told_of_it(ima2_client: Any) -> None:
    sink = RecordingSink()
    parts = plugin(providers=[StallingProvider(), EchoProvider()], event_sinks=[sink])
    async with ima2_client(parts=parts) as client:
        for number in range(12):
            assert (await start(client, f"j{number}")).status_code == 202
        refused = await start(client, "j12")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert refused.json()["code"] == "TOO_MANY_JOBS"
        assert refused.json()["requestId"] == "j12"
        assert not [event for event in sink.events if event.job_id == "j12"]
        await client.delete("/api/inflight/j0")
        assert (await start(client, "j12", provider="echo")).status_code == 202


async def test_a_refused_duplicate_leaves_the_running_job_alone(ima2_client: Any) -> None:
    stall = StallingProvider()
    async with ima2_client(stall=plugin(providers=[stall])) as client:
        await start(client, "same")
        refused = await start(client, "same")
        bad = await start(client, "same", model="no-such-model")
        assert (refused.status_code, refused.json()["code"]) == (409, "REQUEST_ID_IN_USE")
        assert bad.status_code == 400
        assert [job["requestId"] for job in (await client.get("/api/inflight")).json()["jobs"]] == ["same"]
        assert (await client.delete("/api/inflight/same")).json() == {
            "requestId": "same",
            "active": True,
            "aborted": True,
        }


async def test_cancelling_cuts_the_upstream_off_and_ends_the_job_once(ima2_client: Any) -> None:
    stall, sink = StallingProvider(), RecordingSink()
    async with ima2_client(stall=plugin(providers=[stall], event_sinks=[sink])) as client:
        waiting = asyncio.create_task(start(client, "c1", **{"async": False}))
        await stall.begun.wait()
        canceled = (await client.delete("/api/inflight/c1")).json()
        answer = await waiting
        again = (await client.delete("/api/inflight/c1")).json()
        ended = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"][0]
        await asyncio.sleep(0.05)
    assert canceled == {"requestId": "c1", "active": True, "aborted": True}
    assert again == {"requestId": "c1", "active": False, "aborted": False}
    assert (answer.status_code, answer.json()["code"]) == (499, "GENERATION_CANCELED")
    assert (ended["status"], ended["httpStatus"], ended["errorCode"]) == ("canceled", 499, "GENERATION_CANCELED")
    assert stall.canceled == 1
    assert [event.name for event in sink.events if event.terminal] == ["error"]


async def test_an_id_may_be_used_again_once_its_job_has_ended(ima2_client: Any) -> None:
    async with ima2_client(parts=plugin(providers=[EchoProvider()])) as client:
        for _ in range(3):
            answer = await start(client, "again", provider="echo", **{"async": False})
            assert answer.status_code == 200
        assert len((await client.get("/api/history?requestId=again")).json()["items"]) == 3


async def test_filters_pick_jobs_by_kind_and_session(ima2_client: Any) -> None:
    async with ima2_client(stall=plugin(providers=[StallingProvider()])) as client:
        await start(client, "a", sessionId="s_1")
        await start(client, "b")

        async def ids(query: str) -> list[str]:
            return [job["requestId"] for job in (await client.get(f"/api/inflight{query}")).json()["jobs"]]

        assert await ids("") == ["a", "b"]
        assert await ids("?sessionId=s_1") == ["a"]
        assert await ids("?kind=classic") == ["a", "b"]
        assert await ids("?kind=video") == []


async def test_the_line_is_shown_moved_and_cancelled_over_the_wire(ima2_client: Any) -> None:
    settings = {"IMA2_MAX_JOBS": "1"}
    async with ima2_client(stall=plugin(providers=[StallingProvider()]), environ=settings) as client:
        await start(client, "runs")
        for name in ("b", "c", "d"):
            await client.runtime.jobs.admit(Draft(name, "classic"), queue=True)

        async def line() -> dict[str, int]:
            jobs = (await client.get("/api/inflight")).json()["jobs"]
            assert "status" not in jobs[0]
            return {job["requestId"]: job["place"] for job in jobs if job.get("status") == "queued"}

        assert await line() == {"b": 1, "c": 2, "d": 3}
        moved = await client.patch("/api/inflight/d", json={"place": 1})
        assert (moved.status_code, moved.json()) == (200, {"requestId": "d", "place": 1})
        assert await line() == {"b": 2, "c": 3, "d": 1}
        await client.delete("/api/inflight/b")
        assert await line() == {"d": 1, "c": 2}
        for name, place, status, code in (
            ("runs", 1, 409, "JOB_NOT_QUEUED"),
            ("nobody", 1, 404, "JOB_NOT_FOUND"),
            ("c", 0, 400, "INVALID_PLACE"),
            ("c", True, 400, "INVALID_PLACE"),
        ):
            refused = await client.patch(f"/api/inflight/{name}", json={"place": place})
            assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert (await client.get("/api/health")).json()["activeJobs"] == 1


async def test_an_unknown_outcome_reads_as_an_error_whose_code_says_so(ima2_client: Any) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        running = await client.runtime.jobs.admit(Draft("j", "classic"))
        await running.order()
        await client.runtime.jobs.interrupt_all()
        (ended,) = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"]
    assert (ended["status"], ended["errorCode"], ended["httpStatus"]) == ("error", "OUTCOME_UNKNOWN", 500)
