"""Following events inside the process: bounded, and never in anybody's way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from weakref import WeakSet

from ima2.contracts import EventSink
from ima2.models import Event

PASSING = frozenset({"partial", "progress"})
"""Events that may be dropped for a slow reader: something newer will say more."""


class Subscription:
    """An asynchronous iterator over events of some names (all if none is named), from now on.

    A slow reader loses its oldest passing events, then its oldest that end no job; ``dropped`` counts them. It ends
    with the process, or by ``aclose``.
    """

    def __init__(self, names: Sequence[str], depth: int) -> None:
        self.dropped = 0
        self._names, self._depth = frozenset(names), depth
        self._events: deque[Event] = deque()
        self._filled = asyncio.Event()
        self._ended = False

    def put(self, event: Event) -> None:
        """Take an event; never waits."""
        if self._ended or (self._names and event.name not in self._names):
            return
        if len(self._events) >= self._depth:
            passing = (one for one in self._events if one.name in PASSING)
            lasting = (one for one in self._events if not one.terminal)
            self._events.remove(next(passing, None) or next(lasting, None) or self._events[0])
            self.dropped += 1
        self._events.append(event)
        self._filled.set()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        return self._events.popleft()

    async def aclose(self) -> None:
        """Hear no more; what was heard can still be read."""
        self._ended = True
        self._filled.set()


class Subscriptions(EventSink):
    """The sink that feeds them all. One that nobody holds any more is forgotten."""

    id = "subscriptions"

    def __init__(self, depth: int = 512) -> None:
        self._depth = depth
        self._all: WeakSet[Subscription] = WeakSet()

    def add(self, *names: str) -> Subscription:
        """A new one, which hears events from now on."""
        made = Subscription(names, self._depth)
        self._all.add(made)
        return made

    async def handle(self, event: Event) -> None:
        """Give an event to all."""
        for one in list(self._all):
            one.put(event)

    async def close(self) -> None:
        """End all."""
        for one in list(self._all):
            await one.aclose()
