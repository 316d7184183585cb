"""A reader of event streams that is fed bytes as they come (WHATWG HTML, section 9.2.6).

One event may hold a picture of several megabytes in one line. So bytes are searched once, kept in pieces until
their line is whole, joined once, and never turned into text here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_EVENT = 256 * 1024 * 1024
"""Bytes one event may take: the closing event of a series may repeat all its pictures."""


@dataclass(slots=True)
class StreamStats:
    """What a stream was like, for a person who wants to know why nothing came of it."""

    chunks: int = 0
    bytes_read: int = 0
    largest_chunk: int = 0
    lf_boundaries: int = 0
    crlf_boundaries: int = 0
    skipped: int = 0
    left_over: int = 0
    saw_done: bool = False
    saw_completed: bool = False

    def facts(self) -> dict[str, int | bool]:
        """As JSON, under the wire's names."""
        return {
            "chunkCount": self.chunks,
            "bytesRead": self.bytes_read,
            "maxChunkBytes": self.largest_chunk,
            "lfBoundaryCount": self.lf_boundaries,
            "crlfBoundaryCount": self.crlf_boundaries,
            "parseSkipCount": self.skipped,
            "finalBufferChars": self.left_over,
            "sawDoneSentinel": self.saw_done,
            "sawResponseCompleted": self.saw_completed,
        }


@dataclass(slots=True)
class EventReader:
    """Turns chunks into the data of whole events. ``OverflowError`` when one grows beyond `MAX_EVENT`."""

    stats: StreamStats = field(default_factory=StreamStats)
    _pieces: list[bytes] = field(default_factory=list)
    _data: list[memoryview] = field(default_factory=list)
    _held: int = 0

    def feed(self, chunk: bytes) -> list[bytes | memoryview]:
        """Take a chunk; returns the data of each event that it completed."""
        stats = self.stats
        stats.chunks += 1
        stats.bytes_read += len(chunk)
        stats.largest_chunk = max(stats.largest_chunk, len(chunk))
        whole: list[bytes | memoryview] = []
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            line = chunk[start:end]
            if self._pieces:
                self._pieces.append(line)
                line = b"".join(self._pieces)
                self._pieces.clear()
                self._held -= len(line) - (end - start)
            self._line(line, whole)
            start = end + 1
        if start < len(chunk):
            self._pieces.append(chunk[start:] if start else chunk)
            self._hold(len(chunk) - start)
        return whole

    def end(self) -> list[bytes | memoryview]:
        """The stream is over: the last event counts even without its blank line."""
        whole: list[bytes | memoryview] = []
        line = b"".join(self._pieces)
        self._pieces.clear()
        self.stats.left_over = len(line) + sum(map(len, self._data))
        if line:
            self._line(line, whole)
        self._dispatch(whole)
        return whole

    def _line(self, line: bytes, whole: list[bytes | memoryview]) -> None:
        carriage = line.endswith(b"\r")
        if len(line) == carriage:
            self.stats.crlf_boundaries += carriage
            self.stats.lf_boundaries += not carriage
            self._dispatch(whole)
        elif line.startswith(b"data:"):
            begin = 6 if line[5:6] == b" " else 5
            self._data.append(memoryview(line)[begin : len(line) - carriage])
            self._hold(len(line))

    def _dispatch(self, whole: list[bytes | memoryview]) -> None:
        if self._data:
            whole.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
            self._data.clear()
        self._held = 0

    def _hold(self, more: int) -> None:
        self._held += more
        if self._held > MAX_EVENT:
            raise OverflowError("an event is too large")
