"""A follower hears what happens in order; one that does not listen costs no memory."""

from __future__ import annotations

import asyncio

from ima2 import Event
from ima2.studio.event_queue import DEPTH, EventQueue


def event(name: str, number: int = 0) -> Event:
    return Event(name, "j", {"n": number}, terminal=name in ("done", "error"))


async def heard(queue: EventQueue) -> list[tuple[str, int]]:
    return [(one.name, one.data["n"]) async for one in queue.follow()]


async def test_events_come_in_order_up_to_the_terminal_one_and_no_further() -> None:
    queue = EventQueue()
    for number, name in enumerate(["phase", "partial", "image", "done", "phase"]):
        queue.put(event(name, number))
    assert await heard(queue) == [("phase", 0), ("partial", 1), ("image", 2), ("done", 3)]


async def test_what_comes_while_somebody_listens_is_heard() -> None:
    queue = EventQueue()
    listening = asyncio.create_task(heard(queue))
    for number, name in enumerate(["phase", "image", "error"]):
        await asyncio.sleep(0.01)
        queue.put(event(name, number))
    assert await listening == [("phase", 0), ("image", 1), ("error", 2)]


async def test_a_full_queue_loses_its_oldest_preview_first() -> None:
    queue = EventQueue(depth=4)
    for number, name in enumerate(["phase", "image", "partial", "progress", "image", "image", "done"]):
        queue.put(event(name, number))
    assert await heard(queue) == [("image", 1), ("image", 4), ("image", 5), ("done", 6)]


async def test_a_reader_that_never_reads_holds_so_many_events_and_the_end_is_among_them() -> None:
    queue = EventQueue()
    for number in range(1000):
        queue.put(event("image", number))
    queue.put(event("done"))
    found = await heard(queue)
    assert len(found) == DEPTH
    assert found[0] == ("image", 1000 - DEPTH + 1)
    assert found[-1] == ("done", 0)
