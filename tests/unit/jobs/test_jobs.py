"""Admission, turns, ends: exactly one each, whatever stops a job and whenever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ima2 import Ima2Error
from ima2.jobs.runner import RunningJob

Work = Callable[[RunningJob], Awaitable[Any]]


def begin(one: Any, running: RunningJob, work: Work) -> asyncio.Task[Any]:
    async def whole() -> Any:
        return await work(running)

    task: asyncio.Task[Any] = one.jobs.start(running, whole())
    return task


async def well(running: RunningJob) -> str:
    await running.complete({}, {"ok": True})
    return "done"


async def forever(running: RunningJob) -> None:
    await asyncio.sleep(3600)


async def told(one: Any) -> list[tuple[str, str]]:
    await one.publisher.close()
    ends: list[tuple[str, str]] = one.ends()
    return ends


async def test_without_queue_the_job_beyond_the_limit_is_refused_and_leaves_no_trace(process: Any) -> None:
    async with process(limit=1) as one:
        await one.admit("a")
        with pytest.raises(Ima2Error) as caught:
            await one.admit("b")
        assert (caught.value.code, caught.value.status, caught.value.retry_after) == ("TOO_MANY_JOBS", 429, 5)
        assert await one.jobs.store.get("b") is None
        assert [record.id for record in one.jobs.active()] == ["a"]


async def test_with_queue_it_waits_in_line_and_begins_when_there_is_room(process: Any) -> None:
    async with process(limit=1) as one:
        first, second = await one.admit("a"), await one.admit("b", queue=True)
        assert (one.jobs.count, one.jobs.places()) == (1, {"b": 1})
        assert (await one.jobs.store.get("b")).status == "queued"
        task = begin(one, second, well)
        await asyncio.sleep(0.05)
        assert not task.done()
        await first.complete({}, {})
        assert await task == "done"
        assert one.jobs.places() == {}


async def test_a_job_that_waited_counts_from_its_turn_and_has_no_place_any_more(process: Any) -> None:
    async with process(limit=1) as one:
        first, second = await one.admit("a"), await one.admit("b", queue=True)
        waited = second.record
        assert (waited.status, waited.place is not None) == ("queued", True)
        await asyncio.sleep(0.02)
        await first.complete({}, {})
        begun = second.record
        assert (begun.status, begun.place, begun.phase) == ("active", None, "queued")
        assert begun.started_at >= waited.started_at + 20
        assert begun.phase_at == begun.started_at
        assert second.age < 5
        await one.jobs.store.flush()
        assert (await one.jobs.store.get("b")).status == "active"


async def test_a_job_in_line_can_be_cancelled_and_its_work_never_begins(process: Any) -> None:
    async with process(limit=1) as one:
        await one.admit("a")
        waiting = await one.admit("b", queue=True)
        began: list[str] = []

        async def work(running: RunningJob) -> None:
            began.append(running.id)

        task = begin(one, waiting, work)
        await asyncio.sleep(0)
        assert await one.jobs.cancel("b") == (True, False)
        with pytest.raises(Ima2Error, match="canceled"):
            await task
        assert (began, one.jobs.places()) == ([], {})
        assert await told(one) == [("b", "error")]


async def test_the_line_can_be_arranged_and_only_those_in_it(process: Any) -> None:
    async with process(limit=1) as one:
        await one.admit("a")
        for name in ("b", "c", "d"):
            await one.admit(name, queue=True)
        assert one.jobs.move("d", 1) == 1
        assert list(one.jobs.places()) == ["d", "b", "c"]
        for name, code in (("a", "JOB_NOT_QUEUED"), ("nobody", "JOB_NOT_FOUND")):
            with pytest.raises(Ima2Error) as caught:
                one.jobs.move(name, 1)
            assert caught.value.code == code


async def test_an_id_is_in_use_until_its_job_has_ended_also_in_another_process(process: Any) -> None:
    async with process("a") as one, process("b") as other:
        running = await one.admit("j")
        for beside in (one, other):
            with pytest.raises(Ima2Error) as caught:
                await beside.admit("j")
            assert (caught.value.code, caught.value.status) == ("REQUEST_ID_IN_USE", 409)
        assert other.jobs.count == 0
        await running.complete({}, {})
        await other.admit("j")


async def test_a_cancelled_subtask_inside_the_work_ends_the_job_once_and_frees_its_slot(
    process: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(running: RunningJob) -> None:
        part = asyncio.create_task(asyncio.sleep(3600))
        part.cancel()
        await part

    async with process(limit=1) as one:
        with pytest.raises(Ima2Error) as caught:
            await begin(one, await one.admit("j"), work)
        record = await one.jobs.wait("j")
        assert (caught.value.code, record.status, record.error_code) == ("JOB_CRASHED", "error", "JOB_CRASHED")
        assert one.jobs.count == 0
        assert await told(one) == [("j", "error")]
    assert "cancellation from within" in caplog.text


@pytest.mark.parametrize("how", ["raises", "returns"])
async def test_work_that_forgets_to_end_its_job_does_not_leave_it_open(process: Any, how: str) -> None:
    async def work(running: RunningJob) -> None:
        if how == "raises":
            raise ZeroDivisionError

    async with process() as one:
        task = begin(one, await one.admit("j"), work)
        await asyncio.wait({task})
        assert (await one.jobs.wait("j")).error_code == "JOB_CRASHED"
        assert await told(one) == [("j", "error")]
        task.exception()


async def test_stopped_during_its_admission_a_job_ends_once_and_never_works(process: Any) -> None:
    async with process(limit=1) as one:
        again = await one.admit("j")
        await again.complete({}, {})
        admission = asyncio.create_task(one.admit("j"))
        await asyncio.sleep(0)
        assert (await one.jobs.cancel("j"))[0]
        running = await admission
        with pytest.raises(Ima2Error, match="canceled"):
            await begin(one, running, forever)
        record = await one.jobs.store.get("j")
        assert (record.status, one.jobs.count) == ("canceled", 0)
        assert await told(one) == [("j", "done"), ("j", "error")]


async def test_an_admission_that_cannot_be_stored_is_a_refusal_and_no_job(
    process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Any) -> None:
        raise Ima2Error("DB_FULL", 507, "full")

    async with process(limit=1) as one:
        with monkeypatch.context() as patch:
            patch.setattr(one.jobs.store, "insert", broken)
            with pytest.raises(Ima2Error, match="full"):
                await one.admit("j")
        assert (one.jobs.count, one.jobs.get("j")) == (0, None)
        await one.admit("j")


async def test_complete_after_cancel_changes_nothing(process: Any) -> None:
    async with process() as one:
        running = await one.admit("j")
        await one.jobs.cancel("j")
        assert not await running.complete({}, {})
        assert (await one.jobs.store.get("j")).status == "canceled"
        assert await told(one) == [("j", "error")]


async def test_an_end_is_stored_and_told_although_the_work_is_cut_off_meanwhile(process: Any) -> None:
    async with process() as one:
        running = await one.admit("j")
        task = begin(one, running, well)
        while not running.over:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert (await one.jobs.wait("j")).status == "completed"
        assert await told(one) == [("j", "done")]


async def test_a_job_is_waited_for_by_its_id_from_anywhere(process: Any) -> None:
    async with process("a") as one, process("b") as other:
        running = await one.admit("j")
        waiting = [asyncio.create_task(jobs.wait("j")) for jobs in (one.jobs, other.jobs)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        await running.complete({}, {})
        assert [record.status for record in await asyncio.gather(*waiting)] == ["completed"] * 2
        with pytest.raises(Ima2Error) as caught:
            await one.jobs.wait("nobody")
        assert (caught.value.code, caught.value.status) == ("JOB_NOT_FOUND", 404)


async def test_once_it_is_shutting_down_no_job_is_let_in(process: Any) -> None:
    async with process() as one:
        await one.jobs.interrupt_all()
        with pytest.raises(Ima2Error) as caught:
            await one.admit("j")
        assert (caught.value.code, caught.value.status) == ("SHUTTING_DOWN", 503)
        assert await one.jobs.store.get("j") is None


async def test_work_that_ignores_being_stopped_does_not_hold_up_the_shutdown(
    process: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ima2.jobs.jobs.STOP_PATIENCE_S", 0.05)
    free = asyncio.Event()

    async def deaf(running: RunningJob) -> None:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue

    async with process() as one:
        task = begin(one, await one.admit("j"), deaf)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await one.jobs.interrupt_all()
        assert "job j did not stop" in caplog.text
        assert (await one.jobs.store.get("j")).error_code == "SERVER_RESTARTED"
        free.set()
        await asyncio.wait({task})
