"""What a frame looks like on the wire."""

from __future__ import annotations

import base64
import json
import os
from types import MappingProxyType

import pytest

import ima2
from ima2_plugins.sse.frames import CHUNK, PING, data_url_length, event_frame, event_name, json_pieces, notice_frame


def whole(payload: dict[str, ima2.Json]) -> bytes:
    return b"".join(json_pieces(payload))


def test_a_frame_is_an_id_a_name_and_one_line_of_data() -> None:
    frame = event_frame(58, "phase", whole({"requestId": "fn_a_1", "phase": "streaming", "jobId": "fn_a_1"}))
    assert b"".join(frame.chunks) == (
        b'id: 58\nevent: phase\ndata: {"requestId":"fn_a_1","phase":"streaming","jobId":"fn_a_1"}\n\n'
    )
    assert frame.size == len(frame.chunks[0])


def test_a_notice_and_the_heartbeat_have_no_id() -> None:
    assert notice_frame("replay-gap", {"lastEventId": 3}).chunks == (b'event: replay-gap\ndata: {"lastEventId":3}\n\n',)
    assert PING.chunks == (b": ping\n\n",)


@pytest.mark.parametrize("name", ["", "done\ndata: x", "done\r"])
def test_a_name_cannot_break_out_of_its_line(name: str) -> None:
    with pytest.raises(ValueError, match="event name"):
        event_name(name)


def test_line_breaks_in_values_stay_inside_the_line() -> None:
    text = whole({"error": "one\ntwo\r\nthree"})
    assert b"\n" not in text
    assert b"\r" not in text
    assert json.loads(text) == {"error": "one\ntwo\r\nthree"}


@pytest.mark.parametrize("size", [0, 1, 2, 3, CHUNK // 4 * 3, CHUNK // 4 * 3 + 1, 1_500_000])
def test_a_picture_becomes_the_data_url_of_exactly_its_bytes(size: int) -> None:
    picture = ima2.Picture(os.urandom(size), "image/webp")
    text = whole({"image": picture, "images": [{"image": picture, "n": 1}], "jobId": "ü"})
    url = "data:image/webp;base64," + base64.b64encode(picture.data).decode()
    assert json.loads(text) == {"image": url, "images": [{"image": url, "n": 1}], "jobId": "ü"}
    assert data_url_length(picture) == len(url)


def test_a_large_frame_comes_in_pieces_of_even_size() -> None:
    frame = event_frame(1, "image", json_pieces({"image": ima2.Picture(os.urandom(1_500_000), "image/png")}))
    assert len(frame.chunks) == -(-frame.size // (CHUNK + 200))
    assert all(CHUNK <= len(chunk) < CHUNK + 200 for chunk in frame.chunks[:-1])


def test_half_a_surrogate_pair_and_a_huge_number_still_make_json() -> None:
    text = whole({"error": "broken \ud83d", "seed": 2**70, "image": ima2.Picture(b"abc", "image/png")})
    assert json.loads(text) == {"error": "broken \ud83d", "seed": 2**70, "image": "data:image/png;base64,YWJj"}


def test_any_mapping_is_an_object() -> None:
    assert whole({"usage": MappingProxyType({"total": 1})}) == b'{"usage":{"total":1}}'


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        whole({"what": object()})
