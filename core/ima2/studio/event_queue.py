"""One follower's events of one job: bounded, so that a slow reader costs no memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from ima2.events.publisher import PASSING
from ima2.models import Event

DEPTH = 64


class EventQueue:
    """Events between a job and somebody who follows it. Ends with the terminal event."""

    def __init__(self, depth: int = DEPTH) -> None:
        self._events: deque[Event] = deque()
        self._depth = depth
        self._filled = asyncio.Event()

    def put(self, event: Event) -> None:
        """Take an event; never waits. When full, the oldest passing one is lost, else the oldest."""
        if len(self._events) >= self._depth:
            lost = next((one for one in self._events if one.name in PASSING), self._events[0])
            self._events.remove(lost)
        self._events.append(event)
        self._filled.set()

    async def follow(self) -> AsyncIterator[Event]:
        """The events in order, up to and with the terminal one."""
        while True:
            await self._filled.wait()
            while self._events:
                event = self._events.popleft()
                yield event
                if event.terminal:
                    return
            self._filled.clear()
