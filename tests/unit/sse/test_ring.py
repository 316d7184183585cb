"""What a client that comes back is told."""

from __future__ import annotations

import re
from typing import Any

import orjson

from ima2_plugins.sse.frames import Frame
from ima2_plugins.sse.payloads import Rendering
from ima2_plugins.sse.ring import Entry, Ring


def entry(number: int, *, terminal: bool = False, at: int = 0, **data: Any) -> Entry:
    return Entry(number, "done" if terminal else "phase", "job", orjson.dumps(data), terminal, at)


def ring(count: int, *, depth: int = 10, keep: int = 1000, ends: tuple[int, ...] = ()) -> Ring:
    made = Ring(depth, keep)
    for number in range(1, count + 1):
        made.append(entry(number, terminal=number in ends), 0)
    return made


def ids(frames: list[Frame]) -> list[int]:
    return [frame.id for frame in frames]


def gap(frames: list[Frame]) -> dict[str, int] | None:
    text = b"".join(frames[0].chunks) if frames else b""
    found = re.match(rb"event: replay-gap\ndata: (.*)\n\n", text)
    return orjson.loads(found[1]) if found else None


def replay(of: Ring, cursor: int, rendering: Rendering = "data") -> list[Frame]:
    return of.replay(cursor, rendering)


def test_what_came_after_the_cursor_is_told_again() -> None:
    assert ids(replay(ring(5), 3)) == [4, 5]
    assert replay(ring(5), 5) == []


def test_cursor_zero_gets_everything_and_no_notice() -> None:
    assert ids(replay(ring(25), 0)) == list(range(16, 26))
    assert ids(replay(ring(5), -1)) == [1, 2, 3, 4, 5]


def test_a_gap_is_told_before_what_is_left() -> None:
    frames = replay(ring(25), 14)
    assert gap(frames) == {"lastEventId": 14, "oldestAvailableId": 16}
    assert ids(frames) == [0, *range(16, 26)]
    assert gap(replay(ring(25), 15)) is None


def test_a_cursor_from_a_lost_count_gets_the_notice_and_all_there_is() -> None:
    frames = replay(ring(3), 58_000)
    assert gap(frames) == {"lastEventId": 58_000, "oldestAvailableId": 1}
    assert ids(frames) == [0, 1, 2, 3]
    assert gap(replay(Ring(10, 0), 7)) == {"lastEventId": 7, "oldestAvailableId": 1}


def test_an_empty_ring_tells_nothing() -> None:
    assert replay(Ring(10, 0), 0) == []


def test_a_jobs_end_outlives_a_full_ring() -> None:
    frames = replay(ring(40, ends=(3, 7, 35)), 2)
    assert ids(frames) == [0, 3, 7, *range(31, 41)]
    assert gap(frames) == {"lastEventId": 2, "oldestAvailableId": 31}


def test_a_jobs_end_is_let_go_when_it_is_old() -> None:
    made = ring(12, keep=1000, ends=(1,))
    made.append(entry(13), 1000)
    assert 1 in ids(replay(made, 0))
    made.append(entry(14), 1001)
    assert 1 not in ids(replay(made, 0))


def test_so_many_ends_are_kept_and_no_more() -> None:
    made = ring(100, ends=tuple(range(101)))
    assert ids(replay(made, 0)) == list(range(81, 101))


def test_numbering_goes_on_above_what_may_have_been_delivered_unwritten() -> None:
    made = Ring(10, 1000)
    made.restore([entry(3, terminal=True), *(entry(number) for number in range(20, 30))])
    assert made.newest == 39
    assert gap(replay(made, 35)) is None
    assert gap(replay(made, 40)) is not None
    assert ids(replay(made, 0)) == [3, *range(20, 30)]
    assert gap(replay(made, 18)) == {"lastEventId": 18, "oldestAvailableId": 20}
    assert gap(replay(made, 19)) is None


def test_the_numbering_of_a_new_database_begins_at_one() -> None:
    made = Ring(10, 1000)
    made.restore([])
    assert (made.newest, made.lost) == (0, 0)


def test_a_replay_by_address_has_its_picture() -> None:
    made = Ring(10, 1000)
    made.append(entry(1, url="/generated/a.png", _imageOmitted=True, jobId="job"), 0)
    assert b"".join(made.replay(0, "url")[0].chunks).endswith(
        b'data: {"url":"/generated/a.png","image":"/generated/a.png","jobId":"job"}\n\n'
    )
