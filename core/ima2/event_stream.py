"""Reading an event stream (text/event-stream) as its bytes come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event. ``data`` is what its JSON says, or the text where it is none."""

    name: str
    data: Any

    @property
    def fields(self) -> dict[str, Any]:
        """The data where it is a JSON object, else nothing."""
        return self.data if isinstance(self.data, dict) else {}


class EventReader:
    """Cuts a stream into events. A frame ends at a blank line; one that is not finished at the end does not count.

    Lines end with LF or CRLF; comments (heartbeats), ``id`` and ``retry`` are passed over.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._name = "message"
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """The events that are whole with these bytes. Pictures of many MB may come in many pieces."""
        first, *others = chunk.split(b"\n")
        self._pieces.append(first)
        for piece in others:
            line = b"".join(self._pieces).removesuffix(b"\r")
            self._pieces = [piece]
            event = self._line(line)
            if event is not None:
                yield event

    def _line(self, line: bytes) -> StreamEvent | None:
        if not line:
            return self._ended()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode("utf-8", "replace") or "message"
        elif field == b"data":
            self._data.append(value)
        return None

    def _ended(self) -> StreamEvent | None:
        name, data = self._name, self._data
        self._name, self._data = "message", []
        return StreamEvent(name, _value(b"\n".join(data))) if data else None


def _value(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace")
