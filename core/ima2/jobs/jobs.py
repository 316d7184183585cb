"""Jobs: who may start, where each one stands, how it ends. Every one ends exactly once.

The record in the ledger is the truth; events only hint at it. What runs a job today is a task of this process, and
nothing outside this folder may assume so.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from ima2.contracts import Sql
from ima2.errors import Ima2Error, canceled
from ima2.events.publisher import Publisher
from ima2.interfaces import Jobs as PublicJobs
from ima2.jobs.admission import LONGEST_LINE, Line, in_use, too_many
from ima2.jobs.job_errors import closing, failure, interrupted, not_found, outcome_unknown, suspended
from ima2.jobs.leases import GOES_ON, Judge, Recovered, Verdict, dead_jobs, judged, plain_verdict
from ima2.jobs.record import ACTIVE, CANCELED, COMPLETED, ERROR, QUEUED, UNKNOWN, Draft, JobRecord, now_ms
from ima2.jobs.runner import RunningJob, run
from ima2.jobs.store import Ledger
from ima2.models import Event, Json

log = logging.getLogger("ima2.jobs")
PROMPT_CHARS = 500
STOP_PATIENCE_S = 5.0
POLL_S = 0.5


class Jobs(PublicJobs):
    """Admission, the list of what runs and what has ended, and cancelling."""

    def __init__(
        self, database: Sql, publisher: Publisher, *, owner: str, limit: int = 12, terminal_ttl_ms: int = 300_000
    ) -> None:
        self.store = Ledger(database, self._lose)
        self.describe: Callable[[JobRecord, Ima2Error], Mapping[str, Json]] = failure
        """How an end that comes from here (a cancellation, an interruption) reads as an event."""
        self._publisher = publisher
        self._owner = owner
        self._limit = limit
        self._ttl = terminal_ttl_ms
        self._closed = False
        self._line: Line[RunningJob] = Line()
        self._running: OrderedDict[str, RunningJob] = OrderedDict()
        self.parked: dict[str, JobRecord] = {}
        """Jobs of processes that are gone, which this one cannot go on with: their plugin is not in use."""
        self._ended: OrderedDict[str, JobRecord] = OrderedDict()
        self._ending: dict[str, tuple[RunningJob, asyncio.Task[None]]] = {}

    # -- starting ----------------------------------------------------------------------------

    async def admit(self, draft: Draft, *, queue: bool = False) -> RunningJob:
        """Let a job in, or refuse: 409 ``REQUEST_ID_IN_USE``, 429 ``TOO_MANY_JOBS`` with ``retry_after``.

        With ``queue`` a job beyond the limit waits in line. When this returns, the job is listed and stored. A refusal
        changes nothing.
        """
        if self._closed:
            raise closing()
        if draft.id in self._running or draft.id in self.parked:
            raise in_use()
        full = self.count >= self._limit
        if full and (not queue or len(self._line) >= LONGEST_LINE):
            raise too_many(self._limit)
        running = self._running[draft.id] = RunningJob(self, self.store, self._drafted(draft, full))
        if full:
            busy = Counter(one.client for one in self._running.values() if one.record.status == ACTIVE)
            self._arrange(self._line.join(running, busy))
        stored = None
        try:
            stored = await self.store.insert(running.record)
        finally:
            running.refused = stored is None
            running.admitted.set()
            if running.refused:
                self._drop(running)
        if stored is None:
            raise in_use()
        running.record = replace(running.record, fence=stored.fence)
        if not running.over:  # else somebody stopped it meanwhile
            self._ended.pop(draft.id, None)
            if not full:
                running.begin()
            self._advance()
        return running

    def start(self, running: RunningJob, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a job's work in a task of its own, which outlives the request that asked for it.

        The work begins with the job's turn. The task raises what the job's clients should see.
        """

        async def fail(error: Ima2Error) -> None:
            await running.fail(error, self.describe(running.record, error))

        running.task = asyncio.create_task(run(running, work, fail), name=f"job {running.id}")
        return running.task

    # -- ending ------------------------------------------------------------------------------

    async def end(
        self, running: RunningJob, record: JobRecord, event: Mapping[str, Json], error: Ima2Error | None = None
    ) -> bool:
        """Move a job from running to ended in one step, store that, then tell. The first caller wins.

        Whoever called may go away meanwhile: storing and telling go on.
        """
        if running.over or self._running.get(running.id) is not running:
            return False
        running.record, running.error = record, error
        self._remember(record)
        self._drop(running)
        task = asyncio.create_task(self._close(running, event))
        self._ending[running.id] = running, task
        await asyncio.shield(task)
        return True

    async def _close(self, running: RunningJob, event: Mapping[str, Json]) -> None:
        await running.admitted.wait()
        if not running.refused:
            await self._store_and_tell(running.record, event)
        running.ended.set()
        if self._ending.get(running.id, (None,))[0] is running:
            del self._ending[running.id]

    async def _store_and_tell(self, record: JobRecord, event: Mapping[str, Json]) -> None:
        """Store an end, and tell it unless the job is somebody else's by now. What cannot be stored yet is told all the
        same, and stored as soon as that is possible."""
        try:
            held = await self.store.save(record, event)
        except Exception as error:
            log.warning("the end of job %s could not be stored yet: %s", record.id, error)
            held = True
        if held:
            self._tell(record, event)

    async def cancel(self, job_id: str) -> tuple[bool, bool]:
        """Stop a job. Returns whether it was active, and whether work in flight was really cut off."""
        running = self._running.get(job_id)
        if running is not None:
            return True, await self._stop(running, canceled())
        parked = self.parked.pop(job_id, None)
        ended = await self._close_dead(parked, canceled()) if parked is not None else None
        return ended is not None, False

    async def interrupt_all(self, judge: Judge = plain_verdict) -> None:
        """Stop everything because the process goes away; no job is let in from here on.

        What the next process goes on with (by the verdict) stays as stored; the rest ends, as interrupted or with an
        unknown outcome. Work that does not let itself be stopped is left behind after a while, and named in the log.
        """
        self._closed = True
        stopping, tasks = [], []
        for running in list(self._running.values()):
            tasks += [running.task] if running.task is not None else []
            verdict = judged(judge, running.record)
            if verdict in GOES_ON or verdict == "wait":
                self._suspend(running)
            else:
                stopping.append(self._stop(running, *_end_of(verdict)))
        await asyncio.gather(*stopping, return_exceptions=True)
        pending = {*tasks, *(task for _, task in self._ending.values())}
        left = (await asyncio.wait(pending, timeout=STOP_PATIENCE_S))[1] if pending else set()
        for task in left:
            log.warning("%s did not stop when it was told to", task.get_name())
        await self.store.flush()

    async def _stop(self, running: RunningJob, error: Ima2Error, status: str = "") -> bool:
        """End a job from outside and cut its work off; whether there was any."""
        ending = asyncio.create_task(running.fail(error, self.describe(running.record, error), status=status))
        await asyncio.sleep(0)  # from here on it is over, whatever its work does
        cut = running.stop()
        await ending
        return cut

    def _suspend(self, running: RunningJob) -> None:
        running.suspended = True
        self._drop(running)
        running.stop()
        running.ended.set()

    def _lose(self, record: JobRecord) -> None:
        """Another process has this job now: nothing here may end it or go on with it."""
        running = self._running.get(record.id)
        if running is not None and running.record.fence == record.fence:
            log.warning("job %s was taken over by another process", record.id)
            self._suspend(running)

    # -- after a start -----------------------------------------------------------------------

    async def recover(
        self, dead: Callable[[str], bool], judge: Judge = plain_verdict, *, adopt: bool = True
    ) -> Recovered:
        """Take over what processes that are gone left behind, close what nobody goes on with, and tell what was not
        told.

        ``dead`` says of an owner whether it is gone: jobs of living ones are left alone. The caller starts what was
        adopted, each by its ``verdict``. Without ``adopt`` all is left to a process that stays.
        """
        found = Recovered()
        if adopt:
            for record, event in await self.store.untold():
                if dead(record.owner):
                    await self._tell_again(record, event)
            for record in await dead_jobs(self.store, dead):
                try:
                    await self._take_over(record, judged(judge, record), found)
                except Ima2Error as error:
                    log.warning("job %s waits for the next start: %s", record.id, error.text)
            await self.store.forget()
        for record in await self.store.ended_since(now_ms() - self._ttl):
            self._ended.setdefault(record.id, record)
        self._ended = OrderedDict(sorted(self._ended.items(), key=lambda item: item[1].finished_at or 0))
        return found

    async def _take_over(self, record: JobRecord, verdict: Verdict, found: Recovered) -> None:
        if verdict == "wait":
            self.parked[record.id] = record
            found.waiting.append(record)
        elif verdict not in GOES_ON:
            ended = await self._close_dead(record, *_end_of(verdict))
            found.closed += [ended] if ended is not None else []
        elif (own := await self.store.claim(record, self._owner)) is not None:
            found.adopted.append(self._adopt(own, verdict))

    def _adopt(self, record: JobRecord, verdict: Verdict) -> RunningJob:
        """What is paid for goes on at once; what begins anew takes its place in line."""
        waits = verdict == "rerun" and self.count >= self._limit
        running = RunningJob(self, self.store, replace(record, status=QUEUED if waits else ACTIVE), verdict)
        running.admitted.set()
        self._running[record.id] = running
        if waits:
            self._arrange(self._line.append(running))
        else:
            running.begin()
        return running

    async def _close_dead(self, record: JobRecord, error: Ima2Error, status: str = "") -> JobRecord | None:
        """End a job of a process that is gone; ``None`` where another process was faster."""
        own = await self.store.claim(record, self._owner)
        if own is None:
            return None
        status = status or (CANCELED if error.code == canceled().code else ERROR)
        ended = replace(
            own, status=status, http_status=error.status, error_code=error.code, finished_at=now_ms(), place=None
        )
        self._remember(ended)
        await self._store_and_tell(ended, self.describe(ended, error))
        return ended

    async def _tell_again(self, record: JobRecord, event: Mapping[str, Json]) -> None:
        """Tell an end that was stored by a process which may have gone before it was told."""
        if await self._publisher.has_end(record.id, record.finished_at or 0):
            self.store.told(record, now_ms())
        else:
            self._tell(record, event)

    # -- looking -----------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many jobs run now, those in line not counted."""
        return sum(one.record.status == ACTIVE for one in self._running.values())

    def get(self, job_id: str) -> JobRecord | None:
        """A job that runs or waits, or that ended within the time records are shown."""
        running = self._running.get(job_id)
        return running.record if running else self.parked.get(job_id) or self._ended.get(job_id)

    async def wait(self, job_id: str) -> JobRecord:
        """Wait until a job has ended, wherever it runs. Raises 404 ``JOB_NOT_FOUND``, or what its clients hear when the
        job goes on in a later process."""
        running = self._running.get(job_id) or self._ending.get(job_id, (None,))[0]
        if running is not None:
            await running.ended.wait()
            if running.suspended:
                raise suspended()
            return running.record
        record = self._ended.get(job_id) or await self.store.get(job_id)
        while record is not None and not record.over:
            await asyncio.sleep(POLL_S)
            record = await self.store.get(job_id)
        if record is None:
            raise not_found()
        return record

    def active(self, kind: str | None = None, session_id: str | None = None) -> list[JobRecord]:
        """What runs or waits, oldest first."""
        records = [*(one.record for one in self._running.values()), *self.parked.values()]
        return [record for record in records if _matches(record, kind, session_id)]

    def ended(self, kind: str | None = None, session_id: str | None = None) -> list[JobRecord]:
        """What has ended lately, newest first."""
        self._forget()
        return [record for record in reversed(self._ended.values()) if _matches(record, kind, session_id)]

    # -- the line ----------------------------------------------------------------------------

    def places(self) -> dict[str, int]:
        """The place in line of each job that waits, by id, from 1."""
        return self._line.places()

    def move(self, job_id: str, place: int) -> int:
        """Put a waiting job at a place in line, 1 being the next to begin; returns the place it got.

        Raises 404 ``JOB_NOT_FOUND`` and 409 ``JOB_NOT_QUEUED``.
        """
        running = self._running.get(job_id)
        if running is None:
            raise not_found()
        if running.record.status != QUEUED:
            raise Ima2Error("JOB_NOT_QUEUED", 409, "This job does not wait in line any more.")
        self._arrange(self._line.move(running, place))
        return self.places()[job_id]

    def _arrange(self, keys: Mapping[str, int]) -> None:
        for job_id, key in keys.items():
            running = self._running[job_id]
            running.record = replace(running.record, place=key)
            if running.admitted.is_set():
                self.store.later(running.record)

    def _advance(self) -> None:
        """Let those in line begin for whom there is room."""
        while not self._closed and self.count < self._limit:
            running = self._line.first
            if running is None or not running.admitted.is_set():
                return
            self._line.leave(running)
            running.begin()

    # -- inside ------------------------------------------------------------------------------

    def _drafted(self, draft: Draft, waits: bool) -> JobRecord:
        at = now_ms()
        return JobRecord(
            draft.id,
            draft.kind,
            draft.prompt[:PROMPT_CHARS],
            draft.meta,
            draft.request,
            at,
            "queued",
            at,
            self._owner,
            QUEUED if waits else ACTIVE,
            session_id=draft.session_id,
            client=draft.client,
            direct=draft.direct,
        )

    def _drop(self, running: RunningJob) -> None:
        """Its slot, or its place in line, is free."""
        if self._running.get(running.id) is running:
            del self._running[running.id]
        self._line.leave(running)
        self._advance()

    def _remember(self, record: JobRecord) -> None:
        self._ended.pop(record.id, None)
        self._ended[record.id] = record
        self._forget()

    def _forget(self) -> None:
        """Ended jobs are shown for a while; the ledger has them longer."""
        limit = now_ms() - self._ttl
        while self._ended and (next(iter(self._ended.values())).finished_at or 0) < limit:
            self._ended.popitem(last=False)

    def _tell(self, record: JobRecord, data: Mapping[str, Json]) -> None:
        name = "done" if record.status == COMPLETED else "error"
        event = Event(name, record.id, data, terminal=True, origin=self._publisher.origin, direct=record.direct)
        self._publisher.publish(event, lambda: self.store.told(record, now_ms()))


def _end_of(verdict: Verdict) -> tuple[Ima2Error, str]:
    """The error and the final status of a job that nobody goes on with."""
    return (outcome_unknown(), UNKNOWN) if verdict == "unknown" else (interrupted(), ERROR)


def _matches(record: JobRecord, kind: str | None, session_id: str | None) -> bool:
    return (kind is None or record.kind == kind) and (session_id is None or record.session_id == session_id)
