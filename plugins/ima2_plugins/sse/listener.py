"""One open stream: what waits for it, and how long it may keep us waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from ima2_plugins.sse.frames import CHUNK, Frame, notice_frame
from ima2_plugins.sse.payloads import Rendering

LAST_WORDS = 5.0
"""Seconds a reader that is cut off has to take the frame it is in the middle of, and the farewell."""


class Listener:
    """A queue of shared frames with a limit in bytes.

    ``last_id`` is the newest event that was handed to the connection, whole or in part.
    A reader that lags loses waiting previews first (``dropped`` counts them). When that is not enough, or when it
    takes nothing for too long, it is told so and cut off; it comes back with its cursor.
    """

    def __init__(self, rendering: Rendering, limit: int, last_id: int = 0) -> None:
        self.rendering = rendering
        self.last_id = last_id
        self.dropped = 0
        self.backlog = 0
        self.over = False
        self.slow = False
        self._limit = limit
        self._frames: deque[Frame] = deque()
        self._chunks: deque[bytes] = deque()
        self._filled = asyncio.Event()
        self._sending_since: float | None = None
        self._deadline: float | None = None
        self._timeout: asyncio.Timeout | None = None

    def preload(self, frames: Iterable[Frame]) -> None:
        """Queue what the ring holds; it is in memory anyway, so no limit applies."""
        for frame in frames:
            self._queue(frame)

    def push(self, frame: Frame) -> None:
        """Queue a frame, or cut the reader off when too much waits. Never waits."""
        if self.over:
            return
        if self.backlog and self.backlog + frame.size > self._limit:
            self._drop_passing()
            if frame.passing:
                self.dropped += 1
                return
            if self.backlog and self.backlog + frame.size > self._limit:
                self.cut_off()
                return
        self._queue(frame)

    def take(self) -> bytes | None:
        """The next piece to write: small frames together, large ones in parts. ``None`` when nothing waits."""
        if not self._chunks:
            self._next_frames()
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self.backlog -= len(chunk)
        return chunk

    async def filled(self) -> None:
        """Wait until there is something to take, or the end."""
        self._filled.clear()
        if not self._frames and not self.over:
            await self._filled.wait()

    def sending(self, since: float | None) -> None:
        """Note that a write began (loop time), or that none is under way."""
        self._sending_since = since

    def stalled(self, now: float, patience: float) -> bool:
        """Whether the connection has taken nothing for ``patience`` seconds."""
        return not self.over and self._sending_since is not None and now - self._sending_since > patience

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be written."""
        return not self.backlog and self._sending_since is None

    def cut_off(self) -> None:
        """End a slow reader: forget what waits and say where it stopped."""
        self.slow = True
        self._frames.clear()
        data = {"reason": "slow", "lastEventId": self.last_id, "previewsDropped": self.dropped}
        self._frames.append(notice_frame("dropped", data))
        self.backlog = sum(map(len, self._chunks)) + self._frames[0].size
        self.end(LAST_WORDS)

    def end(self, patience: float) -> None:
        """Finish what waits within ``patience`` seconds, and close."""
        self.over = True
        self._deadline = asyncio.get_running_loop().time() + patience
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(self._deadline)
        self._filled.set()

    def leave(self) -> None:
        """The reader is gone: nothing is to be written any more."""
        self._frames.clear()
        self._chunks.clear()
        self.backlog = 0
        self.over = True
        self._filled.set()

    @asynccontextmanager
    async def lifetime(self) -> AsyncIterator[None]:
        """Around all writing: it is broken off at the deadline that `end` sets."""
        try:
            async with asyncio.timeout_at(self._deadline) as self._timeout:
                yield
        except TimeoutError:
            self.leave()
        finally:
            self._timeout = None

    def _queue(self, frame: Frame) -> None:
        self._frames.append(frame)
        self.backlog += frame.size
        self._filled.set()

    def _next_frames(self) -> None:
        small: list[bytes] = []
        room = CHUNK
        while self._frames and self._frames[0].size <= room:
            frame = self._begin()
            small += frame.chunks
            room -= frame.size
        if small:
            self._chunks.append(small[0] if len(small) == 1 else b"".join(small))
        elif self._frames:
            self._chunks.extend(self._begin().chunks)

    def _begin(self) -> Frame:
        frame = self._frames.popleft()
        self.last_id = frame.id or self.last_id
        return frame

    def _drop_passing(self) -> None:
        kept = [frame for frame in self._frames if not frame.passing]
        self.dropped += len(self._frames) - len(kept)
        self.backlog -= sum(frame.size for frame in self._frames if frame.passing)
        self._frames = deque(kept)
