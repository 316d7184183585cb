"""Telling the sinks: each has a bounded queue of its own, so none can hold up a job."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from ima2.contracts import EventSink
from ima2.kernel.guard import origin
from ima2.models import Event

log = logging.getLogger("ima2.events")
PASSING = frozenset({"partial", "progress"})
"""Events that may be dropped when a sink is slow: something newer will say more."""
Heard = Callable[[], None]
"""Called once a sink has taken and stored an event."""


def is_told(count: int) -> bool:
    """Whether something that happens again and again goes to the log this time."""
    return count in {1, 10, 100} or count % 1000 == 0


class Mailbox:
    """One sink's queue. When full it loses its oldest passing event, else its oldest that is not terminal."""

    def __init__(self, sink: EventSink, depth: int) -> None:
        self.sink = sink
        self.dropped = self.failed = 0
        self._depth = depth
        self._events: deque[tuple[Event, Heard | None]] = deque()
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._taken: list[Heard] = []
        self.flushing: asyncio.Task[None] | None = None

    def put(self, event: Event, heard: Heard | None = None) -> None:
        """Take an event; never waits."""
        if len(self._events) >= self._depth:
            self._drop_one()
        self._events.append((event, heard))
        self._idle.clear()
        self._filled.set()

    def _drop_one(self) -> None:
        victim = (
            next((one for one in self._events if one[0].name in PASSING), None)
            or next((one for one in self._events if not one[0].terminal), None)
            or self._events[0]
        )
        self._events.remove(victim)
        self.dropped += 1
        if is_told(self.dropped):
            log.warning("sink %s is slow: %d events dropped so far", self.sink.id, self.dropped)

    async def run(self) -> None:
        """Hand the events over, one after the other, for ever. A sink that raises loses that event only."""
        while True:
            await self._filled.wait()
            while self._events:
                event, heard = self._events.popleft()
                await self._ask(self.sink.handle(event), event.name)
                if heard is not None:
                    self._taken.append(heard)
                    if self.flushing is None or self.flushing.done():
                        self.flushing = asyncio.create_task(self._flush())
            self._filled.clear()
            self._idle.set()

    async def _flush(self) -> None:
        while self._taken:
            taken, self._taken = self._taken, []
            if await self._ask(self.sink.flush(), "flush"):
                for heard in taken:
                    heard()

    async def _ask(self, work: Awaitable[None], what: str) -> bool:
        """Let the sink do something; whether it did. What it raises ends here."""
        try:
            await work
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            self.failed += 1
            if is_told(self.failed):
                kind, where = type(error).__name__, origin(error)
                told = (self.sink.id, kind, what, where, self.failed)
                log.error("sink %s: %s on %s at %s; %d so far", *told)  # noqa: TRY400
            return False
        return True

    async def drained(self) -> None:
        """Wait until everything put so far was handled, and stored."""
        await self._idle.wait()
        if self.flushing is not None:
            await asyncio.wait({self.flushing})


class Publisher:
    """Gives every event to every sink. Publishing never waits and never fails."""

    def __init__(self, sinks: Iterable[EventSink] = (), *, origin: str = "", depth: int = 512) -> None:
        self.origin = origin
        self._mailboxes = [Mailbox(sink, depth) for sink in sinks]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin handing over."""
        self._tasks = [asyncio.create_task(mailbox.run()) for mailbox in self._mailboxes]

    def publish(self, event: Event, heard: Heard | None = None) -> None:
        """Tell every sink, in the order of the calls. ``heard`` is called once all of them have taken the event and
        stored what they store."""
        each = _last_of(len(self._mailboxes), heard) if heard is not None else None
        for mailbox in self._mailboxes:
            mailbox.put(event, each)

    async def has_end(self, job_id: str, since: int) -> bool:
        """Whether a sink has stored the end of a job already, handled at or after a time (ms)."""
        for mailbox in self._mailboxes:
            try:
                if await mailbox.sink.has_end(job_id, since):
                    return True
            except Exception as error:
                log.warning("sink %s cannot say what it has stored (%s)", mailbox.sink.id, type(error).__name__)
        return False

    async def close(self, patience: float = 2.0) -> None:
        """Let the sinks finish what waits, for at most ``patience`` seconds, and stop."""
        waiting = [asyncio.create_task(mailbox.drained()) for mailbox in self._mailboxes]
        if waiting and self._tasks:
            await asyncio.wait(waiting, timeout=patience)
        flushing = [mailbox.flushing for mailbox in self._mailboxes if mailbox.flushing is not None]
        for task in (tasks := [*waiting, *self._tasks, *flushing]):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks = []


def _last_of(count: int, call: Heard) -> Heard:
    """A function whose ``count``-th call calls ``call``; that happens at once where there is nobody to call it."""
    left = count
    if count == 0:
        call()

    def one() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            call()

    return one
