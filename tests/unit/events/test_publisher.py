"""Publishing never waits, and what must be heard is heard."""

from __future__ import annotations

import asyncio

import pytest

from ima2 import Event, EventSink
from ima2.events.publisher import Publisher
from ima2.testing import RecordingSink, SlowSink


def event(name: str, number: int = 0, *, terminal: bool = False) -> Event:
    return Event(name, f"job-{number}", {"n": number}, terminal)


async def test_every_sink_hears_every_event_in_order() -> None:
    sinks = [RecordingSink(), RecordingSink()]
    publisher = Publisher(sinks)
    publisher.start()
    for number in range(20):
        publisher.publish(event("phase", number))
    await publisher.close()
    assert [[one.data["n"] for one in sink.events] for sink in sinks] == [list(range(20))] * 2


async def test_a_slow_sink_loses_previews_first_and_ends_of_jobs_last() -> None:
    sink = RecordingSink()
    publisher = Publisher([sink], depth=6)
    for number in range(4):
        publisher.publish(event("phase", number))
    for number in range(4):
        publisher.publish(event("partial", number))
    for number in range(4):
        publisher.publish(event("done", number, terminal=True))
    publisher.start()
    await publisher.close()
    assert [one.name for one in sink.events] == ["phase", "phase", "done", "done", "done", "done"]


async def test_a_slow_sink_holds_up_nobody() -> None:
    quick, slow = RecordingSink(), SlowSink(0.5)
    publisher = Publisher([slow, quick])
    publisher.start()
    for number in range(5):
        publisher.publish(event("phase", number))
    await asyncio.sleep(0.05)
    assert len(quick.events) == 5
    assert slow.handled == 0
    await publisher.close(patience=0.01)


async def test_a_sink_that_raises_loses_that_event_only() -> None:
    class Broken(EventSink):
        id = "broken"

        def __init__(self) -> None:
            self.heard: list[str] = []

        async def handle(self, event: Event) -> None:
            self.heard.append(event.name)
            if event.name == "phase":
                raise RuntimeError("no")

    sink = Broken()
    publisher = Publisher([sink])
    publisher.start()
    publisher.publish(event("phase"))
    publisher.publish(event("done", terminal=True))
    await publisher.close()
    assert sink.heard == ["phase", "done"]


async def test_a_sink_that_always_fails_is_told_a_few_times_and_without_the_events_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(RecordingSink):
        async def handle(self, event: Event) -> None:
            await super().handle(event)
            raise SystemExit(str(event.data)) if len(self.events) % 2 else asyncio.CancelledError

    sink = Broken()
    publisher = Publisher([sink])
    publisher.start()
    for number in range(25):
        publisher.publish(Event("phase", "job", {"prompt": f"secret {number}"}))
    await publisher.close()
    assert len(sink.events) == 25
    assert len(caplog.records) == 2
    assert "secret" not in caplog.text


async def test_who_asks_hears_when_every_sink_has_taken_and_stored_an_event() -> None:
    class Storing(RecordingSink):
        def __init__(self) -> None:
            super().__init__()
            self.stored = asyncio.Event()

        async def flush(self) -> None:
            await self.stored.wait()

    sink, heard = Storing(), []
    publisher = Publisher([RecordingSink(), sink])
    publisher.start()
    publisher.publish(event("done", terminal=True), lambda: heard.append("done"))
    await asyncio.sleep(0.02)
    assert (sink.events[0].name, heard) == ("done", [])
    sink.stored.set()
    await publisher.close()
    assert heard == ["done"]


async def test_an_event_that_a_sink_could_not_store_is_not_called_heard() -> None:
    class Full(RecordingSink):
        async def flush(self) -> None:
            raise OSError("disk full")

    heard: list[str] = []
    publisher = Publisher([Full(), RecordingSink()])
    publisher.start()
    publisher.publish(event("done", terminal=True), lambda: heard.append("done"))
    await publisher.close()
    assert heard == []


async def test_without_sinks_an_event_is_heard_at_once() -> None:
    heard: list[str] = []
    Publisher().publish(event("done", terminal=True), lambda: heard.append("done"))
    assert heard == ["done"]
