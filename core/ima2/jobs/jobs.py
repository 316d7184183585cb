"""Jobs: who may start, where each one stands, how it ends. Every one ends exactly once.

The record here is the truth; events only hint at it. Records are in SQL, so that a restart knows what
was promised. What runs a job today is a task of this process, and nothing outside this file may
assume so.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from ima2.contracts import Sql
from ima2.errors import CANCELED, Ima2Error, canceled
from ima2.jobs.job_errors import RESTARTED, interrupted, interruption
from ima2.jobs.record import Draft, JobRecord, now_ms
from ima2.jobs.store import JobStore
from ima2.kernel.publisher import Publisher
from ima2.models import Event, Json, Receipt

log = logging.getLogger("ima2.jobs")
RETRY_AFTER_S = 5
PROMPT_CHARS = 500


class RunningJob:
    """The one right to run and to end a job, given at admission. Whoever was refused has none."""

    def __init__(self, jobs: Jobs, record: JobRecord) -> None:
        self._jobs = jobs
        self.record = record
        self.task: asyncio.Task[Any] | None = None
        self.suspended = False
        """Whether the process is going away and leaves the job, as stored, to the next one."""

    @property
    def id(self) -> str:
        """The job's id."""
        return self.record.id

    @property
    def over(self) -> bool:
        """Whether the job has ended, for instance because a person canceled it."""
        return self.record.status != "active"

    @property
    def age(self) -> float:
        """Seconds since the job was admitted, by whichever process."""
        return max(0, now_ms() - self.record.started_at) / 1000

    def phase(self, name: str) -> bool:
        """Move to another phase; returns whether that was a change."""
        if self.over or self.record.phase == name:
            return False
        self.record = replace(self.record, phase=name, phase_at=now_ms())
        self._jobs.store.later(self.record)
        return True

    async def keep(self, receipt: Receipt, meta: Mapping[str, Json] | None = None) -> None:
        """Store the upstream's own id of the paid work, before anything else happens.

        Where it cannot be stored the work goes on all the same: it is paid, and this process can still collect it.
        """
        self.record = replace(self.record, receipt=receipt, meta={**self.record.meta, **(meta or {})})
        try:
            await self._jobs.store.save(self.record)
        except Exception:
            log.exception("the receipt of job %s could not be stored", self.id)

    def note(self, meta: Mapping[str, Json]) -> None:
        """Add to what the record shows, however the job ends."""
        if meta and not self.over:
            self.record = replace(self.record, meta={**self.record.meta, **meta})
            self._jobs.store.later(self.record)

    async def complete(self, meta: Mapping[str, Json], event: Mapping[str, Json], http_status: int = 200) -> bool:
        """End well. ``event`` becomes the ``done`` event. False when the job had already ended."""
        return await self._jobs.end(self, "completed", http_status, None, meta, event)

    async def fail(self, error: Ima2Error, event: Mapping[str, Json], meta: Mapping[str, Json] | None = None) -> bool:
        """End badly. ``event`` becomes the ``error`` event. False when the job had already ended."""
        status = "canceled" if error.code == CANCELED else "error"
        return await self._jobs.end(self, status, error.status, error.code, meta or {}, event)


class Jobs:
    """Admission, the list of what runs and what has ended, and cancelling."""

    def __init__(
        self, database: Sql, publisher: Publisher, *, owner: str, limit: int = 12, terminal_ttl_ms: int = 300_000
    ) -> None:
        self.store = JobStore(database)
        self._publisher = publisher
        self._owner = owner
        self._limit = limit
        self._ttl = terminal_ttl_ms
        self._running: OrderedDict[str, RunningJob] = OrderedDict()
        self._ended: OrderedDict[str, JobRecord] = OrderedDict()

    # -- starting ----------------------------------------------------------------------------

    async def admit(self, draft: Draft) -> RunningJob:
        """Let a job in, or refuse: 409 ``REQUEST_ID_IN_USE``, 429 ``TOO_MANY_JOBS`` with ``retry_after``.

        When this returns, the job is listed and stored. A refusal changes nothing.
        """
        if draft.id in self._running:
            raise Ima2Error("REQUEST_ID_IN_USE", 409, "A job with this request id is still running.")
        if len(self._running) >= self._limit:
            text = f"{self._limit} jobs are running, which is the limit. Try again when one has ended."
            raise Ima2Error("TOO_MANY_JOBS", 429, text, retry_after=RETRY_AFTER_S)
        at = now_ms()
        record = JobRecord(
            draft.id, draft.kind, draft.prompt[:PROMPT_CHARS], draft.meta, draft.request, at, "queued", at, self._owner
        )
        running = self._running[draft.id] = RunningJob(self, record)
        try:
            await self.store.save(running.record)
        except BaseException:
            self._running.pop(draft.id, None)
            raise
        self._ended.pop(draft.id, None)
        return running

    def start(self, running: RunningJob, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a job's work in a task of its own, which outlives the request that asked for it."""
        running.task = asyncio.create_task(work, name=f"job {running.id}")
        if running.over:
            running.task.cancel()
        return running.task

    # -- ending ------------------------------------------------------------------------------

    async def end(
        self,
        running: RunningJob,
        status: str,
        http_status: int,
        code: str | None,
        meta: Mapping[str, Json],
        event: Mapping[str, Json],
    ) -> bool:
        """Move a job from running to ended in one step, store that, then tell. The first caller wins."""
        if running.over or self._running.get(running.id) is not running:
            return False
        del self._running[running.id]
        running.record = replace(
            running.record,
            status=status,
            http_status=http_status,
            error_code=code,
            finished_at=now_ms(),
            meta={**running.record.meta, **meta},
        )
        self._remember(running.record)
        try:
            await self.store.save(running.record)
        except Exception:
            log.exception("the end of job %s could not be stored", running.id)
        self._tell(running.record, event)
        return True

    async def cancel(self, job_id: str) -> tuple[bool, bool]:
        """Stop a job. Returns whether it was active, and whether work in flight was really cut off."""
        running = self._running.get(job_id)
        if running is None:
            return False, False
        task = running.task
        error = canceled()
        await running.fail(
            error, {"error": error.text, "code": error.code, "status": error.status, "requestId": job_id}
        )
        if task is None or task.done():
            return True, False
        task.cancel()
        return True, True

    async def interrupt_all(self, can_resume: Callable[[JobRecord], bool] = lambda record: False) -> None:
        """End everything that runs because the process stops; clients are told with `RESTARTED`.

        What can be resumed stays stored as running, for the next process to go on with.
        """
        tasks = []
        for running in list(self._running.values()):
            if can_resume(running.record):
                running.suspended = True
                del self._running[running.id]
            else:
                await running.fail(interrupted(), interruption(running.id))
            if running.task is not None:
                running.task.cancel()
                tasks.append(running.task)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.store.flush()

    async def recover(
        self,
        dead: Mapping[str, bool],
        can_resume: Callable[[JobRecord], bool] = lambda record: False,
        *,
        adopt: bool = True,
    ) -> tuple[list[JobRecord], list[RunningJob]]:
        """After a start: take over what a dead process left running and can be resumed, close the rest, and tell.

        Returns the records that were closed and the jobs that were taken over, which the caller has to start.
        Without ``adopt`` what can be resumed is left for a process that stays. ``dead`` says for each owner whether it
        is gone. Jobs of living processes are left alone.
        """
        closed, adopted = [], []
        for record in await self.store.active():
            if not dead.get(record.owner, True):
                continue
            if can_resume(record):
                own = replace(record, owner=self._owner)
                if adopt and await self.store.claim(own, record.owner):
                    adopted.append(RunningJob(self, own))
                    self._running[own.id] = adopted[-1]
            else:
                ended = replace(record, status="error", http_status=503, error_code=RESTARTED, finished_at=now_ms())
                await self.store.save(ended)
                self._remember(ended)
                self._tell(ended, interruption(record.id))
                closed.append(ended)
        for record in await self.store.ended_since(now_ms() - self._ttl):
            self._ended.setdefault(record.id, record)
        self._ended = OrderedDict(sorted(self._ended.items(), key=lambda item: item[1].finished_at or 0))
        await self.store.forget_before(now_ms() - 86_400_000)
        return closed, adopted

    # -- looking -----------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many jobs run now."""
        return len(self._running)

    def get(self, job_id: str) -> JobRecord | None:
        """A job that runs, or that ended within the time records are shown."""
        running = self._running.get(job_id)
        return running.record if running else self._ended.get(job_id)

    def active(self, kind: str | None = None, session_id: str | None = None) -> list[JobRecord]:
        """What runs, oldest first."""
        return [one.record for one in self._running.values() if _matches(one.record, kind, session_id)]

    def ended(self, kind: str | None = None, session_id: str | None = None) -> list[JobRecord]:
        """What has ended lately, newest first."""
        limit = now_ms() - self._ttl
        while self._ended and (next(iter(self._ended.values())).finished_at or 0) < limit:
            self._ended.popitem(last=False)
        return [record for record in reversed(self._ended.values()) if _matches(record, kind, session_id)]

    # -- inside ------------------------------------------------------------------------------

    def _remember(self, record: JobRecord) -> None:
        self._ended.pop(record.id, None)
        self._ended[record.id] = record

    def _tell(self, record: JobRecord, data: Mapping[str, Json]) -> None:
        name = "done" if record.status == "completed" else "error"
        self._publisher.publish(Event(name, record.id, data, terminal=True, origin=self._publisher.origin))


def _matches(record: JobRecord, kind: str | None, session_id: str | None) -> bool:
    return (kind is None or record.kind == kind) and (session_id is None or record.session_id == session_id)
