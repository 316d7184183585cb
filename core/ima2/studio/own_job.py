"""A job of a feature's own: any work, admitted, listed, cancelled and ended like a picture."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from ima2.aliases import REQUEST_ID
from ima2.errors import Ima2Error
from ima2.interfaces import JobHandle, JobResult, JobScope, JobView, Label, Request, Studio
from ima2.kernel.guard import origin
from ima2.models import Json
from ima2.studio.live_job import LiveJob

log = logging.getLogger("ima2.studio")
TERMINAL = frozenset({"done", "error"})


class Scope(JobScope):
    """The work's view of its own job."""

    def __init__(self, studio: Studio, live: LiveJob) -> None:
        self.id = live.id
        self._studio, self._live = studio, live
        self._parts: list[JobHandle] = []

    @property
    def canceled(self) -> bool:
        return self._live.running.over

    def phase(self, name: str) -> None:
        self._live.running.phase(name)

    def tell(self, name: str, data: Mapping[str, Json]) -> None:
        if name in TERMINAL:
            raise ValueError(f"{name} ends a job; the studio tells it when the work returns or raises")
        self._live.tell(name, data)

    async def submit(self, request: Request, label: Label | None = None) -> JobHandle:
        part = await self._studio.submit(request, label)
        self._parts.append(part)
        return part

    async def stop(self) -> None:
        """Cancel what this job has asked for and is not over."""
        for part in self._parts:
            await part.cancel()


async def run_own(
    studio: Studio, live: LiveJob, view: JobView, work: Callable[[JobScope], Awaitable[Mapping[str, Json]]]
) -> None:
    """Run the work to its end, which is recorded and told whatever happens."""
    scope = Scope(studio, live)
    empty = JobResult(live.id, None)
    try:
        if begun := view.started():
            live.tell(*begun)
        data = {REQUEST_ID: live.id, **await work(scope)}
        if await live.running.complete({}, data):
            live.finish(JobResult(live.id, None, elapsed=round(live.running.age, 1), data=data))
    except asyncio.CancelledError:
        await scope.stop()
        raise
    except (Exception, SystemExit) as error:
        await scope.stop()
        known = error if isinstance(error, Ima2Error) else _bug(live.id, error)
        data = {**view.error(known, empty), "status": known.status, REQUEST_ID: live.id}
        if await live.running.fail(known, data):
            live.fail(known, data)


def _bug(job_id: str, error: BaseException) -> Ima2Error:
    log.error("job %s crashed with %s at %s", job_id, type(error).__name__, origin(error))
    return Ima2Error(
        "INTERNAL_ERROR", 500, f"The job failed unexpectedly ({type(error).__name__}); the log says where."
    )
