"""The last events, for those who come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

import ima2
from ima2_plugins.sse.frames import Frame, event_frame, notice_frame
from ima2_plugins.sse.payloads import Rendering, linked


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is replayed. ``data`` is JSON text without large pictures, ``created_at`` epoch milliseconds."""

    id: int
    name: str
    job_id: str
    data: bytes = field(repr=False)
    terminal: bool
    created_at: int
    direct: bool = False

    def is_for(self, rendering: Rendering) -> bool:
        """Whether such a listener hears it. Clients of the old wire get what a direct job makes as the answer to their
        request, and would take an event of it for somebody else's: they hear of its cancellation alone."""
        return rendering == "url" or not self.direct or (self.name == "error" and _is_cancellation(self.data))

    def frame(self, rendering: Rendering) -> Frame:
        """The frame a returning listener gets."""
        data = self.data if rendering == "data" else orjson.dumps(linked(orjson.loads(self.data)))
        return event_frame(self.id, self.name, data)


class Ring:
    """The last ``depth`` events, and jobs' last events for ``keep`` milliseconds however much came after.

    ``newest`` is the highest id given out so far, ``lost`` the highest that is no longer here.
    """

    def __init__(self, depth: int, keep: int) -> None:
        self.newest = 0
        self.lost = 0
        self._depth = depth
        self._keep = keep
        self._entries: deque[Entry] = deque()
        self._ends: deque[Entry] = deque()

    def restore(self, entries: Iterable[Entry]) -> None:
        """Take in what was kept of an earlier run, oldest first.

        Numbering goes on a whole ring further up: ids that were delivered but never reached the disk (a
        failed write, a power cut) are not given out twice.
        """
        for entry in entries:
            self.append(entry, entry.created_at)
        if self._entries:
            self.lost = max(self.lost, self._entries[0].id - 1)
            self.newest += self._depth

    def append(self, entry: Entry, now: int) -> None:
        """Take an event in at ``now`` (epoch ms); the oldest make room."""
        self._entries.append(entry)
        self.newest = max(self.newest, entry.id)
        if len(self._entries) > self._depth:
            oldest = self._entries.popleft()
            self.lost = oldest.id
            if oldest.terminal:
                self._ends.append(oldest)
        while self._ends and (self._ends[0].created_at < now - self._keep or len(self._ends) > self._depth):
            self._ends.popleft()

    def replay(self, cursor: int, rendering: Rendering) -> list[Frame]:
        """Everything after ``cursor``; a notice comes first when something in between is gone.

        A cursor above all ids is from a count that was lost: the notice, and all there is.
        """
        foreign = cursor > self.newest
        start = 0 if foreign else cursor
        entries = [entry for entry in (*self._ends, *self._entries) if entry.id > start and entry.is_for(rendering)]
        frames = [entry.frame(rendering) for entry in entries]
        if cursor > 0 and (foreign or cursor < self.lost):
            oldest = self._entries[0].id if self._entries else self.newest + 1
            frames.insert(0, notice_frame("replay-gap", {"lastEventId": cursor, "oldestAvailableId": oldest}))
        return frames


def _is_cancellation(data: bytes) -> bool:
    payload = orjson.loads(data)
    error = payload.get("error")
    code = error.get("code") if isinstance(error, dict) else payload.get("code")
    return bool(code == ima2.canceled().code)
