"""Frames of an event stream: encoded once, shared by everyone who listens."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pybase64

import ima2

CHUNK = 192 * 1024
"""What is written to a connection at a time, in bytes. Large frames are cut into pieces of about this size."""
_RAW = CHUNK // 4 * 3
_MARK = f"picture:{secrets.token_hex(16)}"
_MARK_JSON = f'"{_MARK}"'.encode()
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as the bytes that go out, in order.

    ``id`` is 0 for a frame without id; ``passing`` marks one that a newer one replaces.
    """

    id: int
    chunks: tuple[bytes, ...] = field(repr=False)
    passing: bool = False

    @property
    def size(self) -> int:
        """Length in bytes."""
        return sum(map(len, self.chunks))


def event_name(name: str) -> str:
    """``name`` itself; ``ValueError`` when it is empty or would break out of its line."""
    if not name or "\n" in name or "\r" in name:
        raise ValueError("not an event name")
    return name


def event_frame(number: int, name: str, data: bytes | Iterable[bytes], *, passing: bool = False) -> Frame:
    """The frame of a numbered event whose data is JSON text on one line, whole or in pieces."""
    head = f"id: {number}\nevent: {name}\ndata: ".encode()
    pieces = (data,) if isinstance(data, bytes) else data
    return Frame(number, tuple(_packed(head, *pieces, b"\n\n")), passing)


def notice_frame(name: str, data: Mapping[str, ima2.Json]) -> Frame:
    """A frame about the stream itself. It has no id, so that it moves nobody's cursor."""
    return Frame(0, (f"event: {name}\ndata: ".encode() + orjson.dumps(dict(data)) + b"\n\n",))


PING = Frame(0, (b": ping\n\n",))


def json_pieces(payload: Mapping[str, ima2.Json]) -> list[bytes]:
    """``payload`` as JSON text on one line, in pieces; a `ima2.Picture` in it becomes a data URL.

    The base64 text is never one string: it is made piece by piece, so that in a thread it lets others run.
    Raises ``TypeError`` or ``ValueError`` for what is no JSON.
    """
    pictures: list[ima2.Picture] = []

    def stand_in(value: object) -> object:
        if isinstance(value, ima2.Picture):
            pictures.append(value)
            return _MARK
        if isinstance(value, Mapping):
            return dict(value)
        raise TypeError(f"{type(value).__name__} is no JSON")

    text, *rest = _dumps(payload, stand_in).split(_MARK_JSON)
    pieces = [text]
    for picture, text in zip(pictures, rest, strict=True):
        pieces += [f'"data:{picture.media_type};base64,'.encode(), *_base64(picture.data), b'"', text]
    return pieces


def data_url_length(picture: ima2.Picture) -> int:
    """How many characters the picture has as a data URL."""
    return len(f"data:{picture.media_type};base64,") + -(-len(picture.data) // 3) * 4


def _dumps(payload: Mapping[str, ima2.Json], stand_in: Any) -> bytes:
    try:
        return orjson.dumps(payload, stand_in, _OPTIONS)
    except orjson.JSONEncodeError:  # half a surrogate pair or a huge number: rare, and legal in JSON
        return json.dumps(payload, default=stand_in, separators=(",", ":"), allow_nan=False).encode()


def _base64(data: bytes) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, len(view), _RAW):
        yield pybase64.b64encode(view[start : start + _RAW])


def _packed(*pieces: bytes) -> Iterator[bytes]:
    """Join small neighbours, so that no write is tiny."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
