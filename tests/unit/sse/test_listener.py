"""What waits for one reader, and when it is cut off."""

from __future__ import annotations

import asyncio
import logging

import orjson
import pytest

from ima2_plugins.sse.audience import Audience
from ima2_plugins.sse.frames import CHUNK, Frame
from ima2_plugins.sse.listener import Listener


def frame(number: int, size: int = 10, *, passing: bool = False) -> Frame:
    return Frame(number, tuple(b"x" * min(CHUNK, size - at) for at in range(0, size, CHUNK)), passing)


def drain(listener: Listener) -> bytes:
    return b"".join(iter(listener.take, None))


def farewell(listener: Listener) -> dict[str, object]:
    data = drain(listener).rpartition(b"event: dropped\ndata: ")[2]
    told: dict[str, object] = orjson.loads(data)
    return told


async def test_small_frames_go_out_together_and_large_ones_in_parts() -> None:
    listener = Listener("data", 10**9)
    for one in (frame(1), frame(2), frame(3, 3 * CHUNK), frame(4)):
        listener.push(one)
    sizes = [len(chunk) for chunk in iter(listener.take, None)]
    assert sizes == [20, CHUNK, CHUNK, CHUNK, 10]
    assert (listener.backlog, listener.last_id) == (0, 4)


async def test_previews_of_a_lagging_reader_go_first() -> None:
    listener = Listener("data", 100)
    for one in (frame(1, 40), frame(2, 50, passing=True), frame(3, 50)):
        listener.push(one)
    assert (listener.dropped, listener.slow) == (1, False)
    listener.push(frame(4, 50, passing=True))
    assert (listener.dropped, listener.backlog) == (2, 90)
    assert len(drain(listener)) == 90


async def test_a_reader_too_far_behind_is_told_where_it_stopped() -> None:
    listener = Listener("data", 100)
    listener.push(frame(1, 60))
    listener.take()
    for number in range(2, 5):
        listener.push(frame(number, 60))
    assert listener.slow
    assert listener.over
    assert farewell(listener) == {"reason": "slow", "lastEventId": 1, "previewsDropped": 0}
    listener.push(frame(9))
    assert listener.take() is None


async def test_the_frame_in_the_middle_of_which_a_reader_is_still_ends() -> None:
    listener = Listener("data", 4 * CHUNK)
    listener.push(frame(1, 3 * CHUNK))
    listener.take()
    listener.push(frame(2, 4 * CHUNK))
    assert listener.slow
    rest = [listener.take(), listener.take()]
    assert rest == [b"x" * CHUNK] * 2
    assert farewell(listener)["lastEventId"] == 1


async def test_one_frame_may_be_larger_than_the_limit() -> None:
    listener = Listener("data", 100)
    listener.push(frame(1, 500))
    assert not listener.slow
    assert len(drain(listener)) == 500


async def test_a_reader_that_takes_nothing_is_cut_off_after_a_while(caplog: pytest.LogCaptureFixture) -> None:
    audience, listener, other = Audience(2, logging.getLogger("test")), Listener("data", 100), Listener("url", 100)
    audience.add(listener)
    audience.add(other)
    listener.push(frame(5))
    listener.take()
    now = asyncio.get_running_loop().time()
    listener.sending(now - 2)
    audience.check(3)
    assert len(audience) == 2
    audience.check(1)
    assert (listener.slow, other.slow) == (True, False)
    assert (len(audience), audience.full, audience.renderings) == (2, True, {"url"}), "it counts until it is gone"
    audience.check(1)
    audience.tell({"url": frame(6)})
    assert caplog.text.count("cut off after event 5") == 1
    audience.remove(listener)
    assert not audience.full


async def test_a_reader_that_waits_for_nothing_is_never_stalled() -> None:
    listener = Listener("data", 100)
    assert not listener.stalled(10**9, 1)


async def test_only_idle_readers_are_pinged() -> None:
    audience, idle, busy = Audience(2, logging.getLogger("test")), Listener("data", 100), Listener("data", 100)
    audience.add(idle)
    audience.add(busy)
    busy.push(frame(1))
    audience.ping()
    assert drain(idle) == b": ping\n\n"
    assert drain(busy) == b"x" * 10


async def test_the_deadline_of_the_end_breaks_off_a_blocked_write() -> None:
    listener = Listener("data", 100)
    asyncio.get_running_loop().call_later(0.02, listener.end, 0.02)
    async with asyncio.timeout(2):
        async with listener.lifetime():
            await asyncio.sleep(60)
    assert listener.over
    assert not listener.slow


async def test_an_end_before_writing_began_counts_too() -> None:
    listener = Listener("data", 100)
    listener.end(0.02)
    async with asyncio.timeout(2):
        async with listener.lifetime():
            await asyncio.sleep(60)
    assert listener.over
