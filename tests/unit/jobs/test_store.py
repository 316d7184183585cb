"""The ledger: who may write, what is written at once, and what waits until it can be."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ima2.jobs.job_errors import interrupted
from ima2.jobs.record import JobRecord, now_ms
from ima2.models import Picture, Receipt


async def stored(one: Any, name: str = "j") -> JobRecord:
    record = await one.jobs.store.get(name)
    assert isinstance(record, JobRecord)
    return record


async def test_a_job_is_stored_whole_before_it_is_admitted(process: Any) -> None:
    async with process() as one:
        request = {"prompt": "whole", "options": {"n": 1}}
        await one.admit("j", meta={"kind": "classic"}, request=request, client="c", session_id="s", direct=True)
        record = await stored(one)
    assert (record.status, record.phase, record.owner, record.fence) == ("active", "queued", "a", 1)
    assert (record.request, record.meta) == (request, {"kind": "classic"})
    assert (record.client, record.session_id, record.direct) == ("c", "s", True)
    assert (record.ordered_at, record.files, record.receipt) == (None, (), None)


async def test_an_order_is_marked_before_the_call_and_only_once(process: Any) -> None:
    async with process() as one:
        running = await one.admit("j")
        await running.order()
        first = (await stored(one)).ordered_at
        await running.order()
        assert first is not None
        assert (await stored(one)).ordered_at == running.record.ordered_at == first


async def test_a_refusal_takes_the_mark_back_with_the_last_of_several_orders(process: Any) -> None:
    async with process() as one:
        running = await one.admit("j")
        await running.order()
        await running.order()
        await running.clear_order()
        assert (await stored(one)).ordered_at is not None
        await running.clear_order()
        assert (await stored(one)).ordered_at is None


async def test_the_mark_stays_once_something_came_of_the_order(process: Any) -> None:
    async with process() as one:
        running = await one.admit("j")
        await running.order()
        running.add_file("a.png")
        await running.clear_order()
        assert (await stored(one)).ordered_at is not None


async def test_a_late_phase_does_not_take_the_mark_away(process: Any) -> None:
    async with process() as one:
        running = await one.admit("j")
        running.phase("streaming")
        await running.order()
        await one.jobs.store.flush()
        record = await stored(one)
    assert (record.phase, record.ordered_at) == ("streaming", running.record.ordered_at)


async def test_a_receipt_is_stored_at_once_and_files_soon(process: Any) -> None:
    async with process() as one:
        running = await one.admit("j")
        await running.keep(Receipt("r-1", {"model": "m"}, {"upstream_id": "r-1"}), {"number": "r-1"})
        running.add_file("1.png")
        running.add_file("2.png")
        running.add_file("1.png")
        assert (await stored(one)).receipt == Receipt("r-1", {"model": "m"}, {"upstream_id": "r-1"})
        await one.jobs.store.flush()
        record = await stored(one)
    assert record.receipt == Receipt("r-1", {"model": "m"}, {"upstream_id": "r-1"})
    assert record.files == ("1.png", "2.png")
    assert record.meta["number"] == "r-1"


async def test_only_one_process_takes_a_job_over(process: Any) -> None:
    async with process() as one:
        await one.admit("j")
        record = await stored(one)
        assert await one.jobs.store.claim(replace(record, owner="somebody else"), "b") is None
        mine = await one.jobs.store.claim(record, "b")
        assert (mine.owner, mine.fence) == ("b", record.fence + 1)
        assert await one.jobs.store.claim(record, "c") is None


async def test_an_ended_job_is_nobodys_to_take(process: Any) -> None:
    async with process() as one:
        running = await one.admit("j")
        await running.fail(interrupted(), {})
        assert await one.jobs.store.claim(await stored(one), "b") is None


async def test_a_process_that_lost_a_job_writes_nothing_of_it_and_tells_no_end(process: Any) -> None:
    async with process("a") as old, process("b") as new:
        running = await old.admit("j")
        await new.jobs.store.claim(await stored(old), "b")
        running.phase("streaming")
        await old.jobs.store.flush()
        assert running.suspended
        assert old.jobs.active() == []
        assert not await running.complete({}, {"done": True})
        record = await stored(old)
        await old.publisher.close()
    assert (record.owner, record.status, record.phase) == ("b", "active", "queued")
    assert old.ends() == []


async def test_a_process_that_lost_a_job_cannot_order(process: Any) -> None:
    async with process("a") as old, process("b") as new:
        running = await old.admit("j")
        await new.jobs.store.claim(await stored(old), "b")
        with pytest.raises(Exception, match="stopped while this job ran"):
            await running.order()
        assert (await stored(old)).ordered_at is None


async def test_an_id_that_has_ended_is_used_again_under_a_higher_fence(process: Any) -> None:
    async with process() as one:
        first = await one.admit("j")
        await first.order()
        await first.complete({}, {})
        await one.admit("j")
        record = await stored(one)
    assert (record.status, record.fence, record.ordered_at, record.finished_at) == ("active", 2, None, None)


@pytest.mark.parametrize(
    "value", [{"half": "\ud800"}, {"big": 2**70}, {"odd": {1: object}}, {"picture": Picture(b"x", "")}]
)
async def test_whatever_a_provider_notes_can_be_stored(process: Any, value: dict[str, Any]) -> None:
    async with process() as one:
        running = await one.admit("j")
        running.note(value)
        assert await running.complete({}, value)
        assert (await stored(one)).status == "completed"


async def test_what_a_locked_database_did_not_take_is_stored_once_it_is_free(
    process: Any, tmp_path: Path, short_wait: None
) -> None:
    async with process() as one:
        running = await one.admit("j")
        with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await running.keep(Receipt("r-1"))
            assert await running.complete({"files": 1}, {"answer": True})
            assert (await stored(one)).status == "active"
            other.execute("COMMIT")
        while (await stored(one)).status == "active":
            await asyncio.sleep(0.02)
        record = await stored(one)
        await one.publisher.close()
    assert (record.status, record.receipt, record.meta) == ("completed", Receipt("r-1"), {"files": 1})
    assert one.ends() == [("j", "done")]


async def test_an_order_waits_for_a_locked_database_and_is_refused_when_that_takes_too_long(
    process: Any, tmp_path: Path, short_wait: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ima2.jobs.runner.ORDER_PAUSE_S", 0.01)
    async with process() as one:
        running, other = await one.admit("j"), sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(running.order())
        await asyncio.sleep(0.2)
        assert not waiting.done()
        other.execute("COMMIT")
        await waiting
        again = await one.admit("k")
        monkeypatch.setattr("ima2.jobs.runner.ORDER_PATIENCE_S", 0.0)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="Another program holds the database"):
            await again.order()
        other.execute("COMMIT")
        other.close()
        assert (await stored(one)).ordered_at is not None
        assert (await stored(one, "k")).ordered_at is None


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite gives up on a lock after 20 ms."""
    from ima2.database import sqlite

    pragmas = ("busy_timeout=20", *(one for one in sqlite._PRAGMAS if not one.startswith("busy_timeout")))
    monkeypatch.setattr(sqlite, "_PRAGMAS", pragmas)


async def test_ended_jobs_are_forgotten_after_a_day_also_while_the_process_runs(
    process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ima2.jobs.store.FORGET_EVERY", 2)
    async with process() as one:
        await (await one.admit("old")).complete({}, {})
        await one.admit("open")
        day = 86_400_000
        monkeypatch.setattr("ima2.jobs.store.now_ms", lambda: now_ms() + day + 1)
        await (await one.admit("new")).complete({}, {})
        await one.publisher.close()
        await one.jobs.store.flush()
        left = [(name, await one.jobs.store.get(name) is not None) for name in ("old", "open")]
    assert left == [("old", False), ("open", True)]


async def test_records_of_ended_jobs_cost_no_memory_for_ever(process: Any) -> None:
    async with process(terminal_ttl_ms=0) as one:
        for number in range(20):
            await (await one.admit(f"j{number}")).complete({}, {})
            await asyncio.sleep(0.002)
        assert len(one.jobs._ended) <= 2
        assert (await one.jobs.wait("j0")).status == "completed"
