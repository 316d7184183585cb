"""Reading event streams byte by byte, and at speed."""

from __future__ import annotations

import base64
import random
import time

import orjson
import pytest
from tests.upstreams.world import picture

import ima2
from ima2_plugins.openai import sse
from ima2_plugins.openai.response_reader import ResponseReader
from ima2_plugins.openai.sse import EventReader

STREAM = (
    ': hello\n\nevent: a\ndata: {"n": "é—😀"}\n\nid: 1\r\ndata:first\r\ndata: second\r\n\r\ndata: [DONE]\n\ndata: last'
)
EVENTS = ['{"n": "é—😀"}', "first\nsecond", "[DONE]", "last"]


def read(chunks: list[bytes]) -> tuple[list[str], EventReader]:
    reader = EventReader()
    events = [bytes(event).decode() for chunk in chunks for event in reader.feed(chunk)]
    return events + [bytes(event).decode() for event in reader.end()], reader


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_wherever_the_stream_is_cut(size: int) -> None:
    data = STREAM.encode()
    events, reader = read([data[at : at + size] for at in range(0, len(data), size)])
    assert events == EVENTS
    stats = reader.stats
    assert (stats.bytes_read, stats.largest_chunk) == (len(data), min(size, len(data)))
    assert (stats.lf_boundaries, stats.crlf_boundaries) == (3, 1)
    assert stats.left_over == len("data: last")


def test_an_event_beyond_every_sane_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 1000)
    with pytest.raises(OverflowError):
        read([b"x" * 100] * 20)
    with pytest.raises(OverflowError):
        read([b"data: " + b"x" * 94 + b"\n"] * 20)


def test_many_events_do_not_add_up_to_one_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 1000)
    reader = EventReader()
    for _ in range(50):
        reader.feed(b"data: " + b"x" * 300)
        assert len(reader.feed(b"x" * 300 + b"\n\n")) == 1


def test_a_picture_of_a_megabyte_and_a_half_takes_little_time() -> None:
    data = picture() + random.Random(1).randbytes(1_500_000)
    item = {"id": "ig_1", "type": "image_generation_call", "result": base64.b64encode(data).decode()}
    wire = b"data: " + orjson.dumps({"type": "response.output_item.done", "item": item}) + b"\n\n"
    chunks = [wire[at : at + 65_536] for at in range(0, len(wire), 65_536)]

    def once() -> float:
        answer = ResponseReader("key")
        reader = EventReader(answer.stats)
        started = time.process_time()
        updates = [one for chunk in chunks for event in reader.feed(chunk) for one in answer.read_event(event)]
        taken = time.process_time() - started
        assert isinstance(updates[-1], ima2.Artifact)
        assert updates[-1].picture.data == data
        return taken

    assert min(once() for _ in range(5)) < 0.02
