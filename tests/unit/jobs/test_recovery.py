"""What a start finds of processes that are gone, and what becomes of each job."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ima2 import Event
from ima2.jobs.leases import Verdict
from ima2.jobs.record import JobRecord
from ima2.models import Receipt
from ima2.testing import RecordingSink


def always(verdict: Verdict) -> Any:
    return lambda record: verdict


def gone(name: str) -> bool:
    return name != "b"


async def left_behind(process: Any, *names: str, ordered: bool = False, **more: Any) -> None:
    """Jobs of a process that died without a word."""
    async with process("dead", **more) as one:
        for name in names:
            running = await one.admit(name, queue=True, meta={"n": name})
            if ordered:
                await running.order()


@pytest.mark.parametrize("verdict", ["collect", "rerun", "complete"])
async def test_what_goes_on_is_taken_over_with_its_verdict(process: Any, verdict: Verdict) -> None:
    await left_behind(process, "j")
    async with process("b") as one:
        found = await one.jobs.recover(gone, always(verdict))
        (running,) = found.adopted
        record = await one.jobs.store.get("j")
        assert (running.id, running.verdict, record.owner, record.fence) == ("j", verdict, "b", 2)
        assert one.jobs.active() == [running.record]
        await running.turn()
        assert await running.complete({}, {})


@pytest.mark.parametrize(
    ("verdict", "status", "code"), [("unknown", "unknown", "OUTCOME_UNKNOWN"), ("close", "error", "SERVER_RESTARTED")]
)
async def test_what_nobody_goes_on_with_ends_once_and_says_why(
    process: Any, verdict: Verdict, status: str, code: str
) -> None:
    await left_behind(process, "j", ordered=True)
    async with process("b") as one, process("b") as beside:
        found = await asyncio.gather(*(each.jobs.recover(gone, always(verdict)) for each in (one, beside)))
        assert [record.status for each in found for record in each.closed] == [status]
        assert (await one.jobs.store.get("j")).error_code == code
        await one.publisher.close()
        await beside.publisher.close()
        (event,) = [event for event in (*one.sink.events, *beside.sink.events) if event.terminal]
    assert (event.name, event.data["code"]) == ("error", code)


async def test_an_unknown_outcome_is_told_without_advice_to_repeat(process: Any) -> None:
    await left_behind(process, "j", ordered=True)
    async with process("b") as one:
        await one.jobs.recover(gone)
        await one.publisher.close()
        text = one.sink.events[0].data["error"]
    assert "may have been billed" in text
    assert not any(word in text.lower() for word in ("again", "retry", "repeat"))


async def test_without_a_better_judge_only_what_was_ordered_is_unknown(process: Any) -> None:
    await left_behind(process, "o", ordered=True)
    await left_behind(process, "n")
    async with process("b") as one:
        closed = (await one.jobs.recover(gone)).closed
    assert {record.id: record.status for record in closed} == {"o": "unknown", "n": "error"}


async def test_jobs_of_living_processes_are_left_alone(process: Any) -> None:
    async with process("alive") as other, process("b") as one:
        running = await other.admit("j")
        found = await one.jobs.recover(lambda name: name == "dead", always("close"))
        assert (found.closed, found.adopted, one.jobs.active()) == ([], [], [])
        assert await running.complete({}, {})
        assert (await one.jobs.store.get("j")).status == "completed"


async def test_what_waits_for_its_plugin_stays_as_it_is_and_can_be_cancelled(process: Any) -> None:
    await left_behind(process, "j", "k", ordered=True)
    async with process("b") as one:
        found = await one.jobs.recover(gone, always("wait"))
        assert [record.id for record in found.waiting] == ["j", "k"]
        assert (await one.jobs.store.get("j")).owner == "dead"
        assert [record.id for record in one.jobs.active()] == ["j", "k"]
        assert await one.jobs.cancel("j") == (True, False)
        assert (await one.jobs.store.get("j")).status == "canceled"
    async with process("b") as one:
        assert [running.id for running in (await one.jobs.recover(gone, always("collect"))).adopted] == ["k"]


async def test_a_judge_that_fails_on_one_job_does_not_stop_the_others(process: Any) -> None:
    def judge(record: JobRecord) -> Verdict:
        if record.id == "odd":
            raise KeyError("mode")
        return "close"

    await left_behind(process, "odd", "j")
    async with process("b") as one:
        found = await one.jobs.recover(gone, judge)
    assert ([r.id for r in found.waiting], [r.id for r in found.closed]) == (["odd"], ["j"])


async def test_a_process_that_soon_ends_leaves_everything_to_one_that_stays(process: Any) -> None:
    await left_behind(process, "j")
    async with process("brief") as one:
        found = await one.jobs.recover(gone, always("collect"), adopt=False)
        assert (found.adopted, found.closed, (await one.jobs.store.get("j")).owner) == ([], [], "dead")


async def test_the_line_outlives_its_process_in_its_order(process: Any) -> None:
    async with process("dead", limit=1) as one:
        for name in ("a", "b", "c", "d"):
            await one.admit(name, queue=True)
        one.jobs.move("d", 1)
    async with process("b", limit=2) as one:
        adopted = (await one.jobs.recover(gone, always("rerun"))).adopted
        assert [running.id for running in adopted] == ["a", "d", "b", "c"]
        assert (one.jobs.count, one.jobs.places()) == (2, {"b": 1, "c": 2})


async def test_a_polite_stop_leaves_to_the_next_process_what_it_can_go_on_with(process: Any) -> None:
    def judge(record: JobRecord) -> Verdict:
        return "collect" if record.receipt else "unknown" if record.ordered_at else "rerun"

    async with process("dead", limit=3) as one:
        paid, ordered = await one.admit("paid"), await one.admit("ordered")
        await one.admit("fresh")
        await one.admit("line", queue=True)
        await paid.order()
        await paid.keep(Receipt("r"))
        await ordered.order()
        await one.jobs.interrupt_all(judge)
        await one.publisher.close()
        assert one.ends() == [("ordered", "error")]
        assert {r.id: r.status for r in await one.jobs.store.open()} == {
            "paid": "active",
            "fresh": "active",
            "line": "queued",
        }
    async with process("b", limit=3) as one:
        found = await one.jobs.recover(gone, judge)
        assert {r.id: r.verdict for r in found.adopted} == {"paid": "collect", "fresh": "rerun", "line": "rerun"}
        assert one.jobs.get("ordered").error_code == "OUTCOME_UNKNOWN"


# -- ends that were stored and perhaps not told -------------------------------------------------


class Storing(RecordingSink):
    """A sink that stores what it hears, or has died before it could."""

    def __init__(self, *, alive: bool = True) -> None:
        super().__init__()
        self.alive = alive
        self.ends: dict[str, int] = {}

    async def handle(self, event: Event) -> None:
        await super().handle(event)
        if self.alive and event.terminal:
            self.ends[event.job_id] = 2**53

    async def flush(self) -> None:
        if not self.alive:
            raise OSError("gone")

    async def has_end(self, job_id: str, since: int) -> bool:
        return self.ends.get(job_id, 0) >= since


async def test_an_end_that_no_sink_has_stored_is_told_again_after_a_restart(process: Any) -> None:
    async with process("dead", sink=Storing(alive=False)) as one:
        await (await one.admit("j", direct=True)).complete({}, {"answer": 1, "image": None})
    async with process("b", sink=Storing()) as one:
        await one.jobs.recover(gone)
        await one.publisher.close()
        assert [(e.name, e.data, e.direct) for e in one.sink.events] == [("done", {"answer": 1, "image": None}, True)]
    async with process("c", sink=Storing()) as one:
        await one.jobs.recover(lambda name: name != "c")
        await one.publisher.close()
        assert one.sink.events == []


async def test_an_end_that_a_sink_has_stored_is_not_told_twice(process: Any) -> None:
    """The process died between the sink's writing and the ledger's."""
    sink = Storing()
    async with process("dead", sink=Storing(alive=False)) as one:
        await (await one.admit("j")).complete({}, {"answer": 1})
        sink.ends["j"] = 2**53
    async with process("b", sink=sink) as one:
        await one.jobs.recover(gone)
        await one.publisher.close()
        await one.jobs.store.flush()
        assert sink.events == []
        assert await one.jobs.store.untold() == []


async def test_an_end_that_is_being_told_by_a_living_process_is_left_to_it(process: Any) -> None:
    async with process("alive", sink=Storing(alive=False)) as one, process("b") as other:
        await (await one.admit("j")).complete({}, {"answer": 1})
        await other.jobs.recover(lambda name: name == "dead")
        await other.publisher.close()
        assert other.sink.events == []


async def test_what_ended_lately_is_listed_after_a_start_newest_first_whoever_ended_it(process: Any) -> None:
    async with process("a") as one:
        for name in ("first", "second"):
            await (await one.admit(name)).complete({}, {})
            await asyncio.sleep(0.005)
    async with process("b") as two:
        await (await two.admit("third")).complete({}, {})
        await asyncio.sleep(0.005)
        await left_behind(process, "fourth")
        await two.jobs.recover(gone)
        listed = [record.id for record in two.jobs.ended()]
    assert listed == ["fourth", "third", "second", "first"]


async def test_without_anybody_to_describe_it_an_end_says_what_clients_look_for(process: Any) -> None:
    await left_behind(process, "j")
    async with process("b") as one:
        await one.jobs.recover(gone)
        await one.publisher.close()
        (event,) = one.sink.events
    assert {name: value for name, value in event.data.items() if name != "error"} == {
        "code": "SERVER_RESTARTED",
        "status": 503,
        "requestId": "j",
    }
    assert event.data["error"].endswith("start it again for the rest.")


async def test_a_job_is_shown_for_a_while_after_its_end_and_not_longer(process: Any, monkeypatch: Any) -> None:
    async with process("a", terminal_ttl_ms=1000) as one:
        await (await one.admit("j")).complete({}, {})
        ended = one.jobs.get("j").finished_at
        monkeypatch.setattr("ima2.jobs.jobs.now_ms", lambda: ended + 1000)
        assert [record.id for record in one.jobs.ended()] == ["j"]
        monkeypatch.setattr("ima2.jobs.jobs.now_ms", lambda: ended + 1001)
        assert one.jobs.ended() == []
        assert one.jobs.get("j") is None
