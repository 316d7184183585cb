"""A job as those see it who follow it in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from ima2.aliases import REQUEST_ID
from ima2.errors import Ima2Error
from ima2.interfaces import JobHandle, JobResult
from ima2.jobs.jobs import Jobs
from ima2.jobs.runner import RunningJob
from ima2.models import Event, Json
from ima2.studio.event_queue import EventQueue

Publish = Callable[[Event], None]


class LiveJob(JobHandle):
    """A job that was let in: tells its events to the sinks and to its followers, and hands over the result."""

    def __init__(self, running: RunningJob, jobs: Jobs, publish: Publish, origin: str, *, direct: bool = False) -> None:
        self.id = running.id
        self.data: Mapping[str, Json] = {}
        self.cost: float | None = None
        self.running = running
        self._jobs, self._publish, self._origin, self._direct = jobs, publish, origin, direct
        self._followers: list[EventQueue] = []
        self._last: Event | None = None
        self._end: asyncio.Future[JobResult] = asyncio.get_running_loop().create_future()

    def tell(self, name: str, data: Mapping[str, Json]) -> None:
        """Publish an event of this job."""
        event = Event(name, self.id, {REQUEST_ID: self.id, **data}, origin=self._origin, direct=self._direct)
        self._publish(event)
        for queue in self._followers:
            queue.put(event)

    def finish(self, result: JobResult) -> None:
        """The job has ended well."""
        self._close(Event("done", self.id, result.data, terminal=True, origin=self._origin))
        if not self._end.done():
            self._end.set_result(result)

    def fail(self, error: Ima2Error, data: Mapping[str, Json]) -> None:
        """The job has ended badly."""
        self._close(Event("error", self.id, data, terminal=True, origin=self._origin))
        if not self._end.done():
            self._end.set_exception(error)
            self._end.exception()  # nobody has to ask

    def events(self) -> AsyncIterator[Event]:
        queue = EventQueue()
        if self._last is not None:
            queue.put(self._last)
        self._followers.append(queue)
        return self._follow(queue)

    async def _follow(self, queue: EventQueue) -> AsyncIterator[Event]:
        try:
            async for event in queue.follow():
                yield event
        finally:
            self._followers.remove(queue)

    async def result(self) -> JobResult:
        return await asyncio.shield(self._end)

    async def cancel(self) -> bool:
        return (await self._jobs.cancel(self.id))[0]

    def _close(self, event: Event) -> None:
        if self._last is None:
            self._last, self.data = event, event.data
            for queue in self._followers:
                queue.put(event)
