"""One job while it runs in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from ima2.database.failures import may_pass
from ima2.errors import CANCELED, Ima2Error, canceled
from ima2.jobs.job_errors import interrupted, suspended
from ima2.jobs.record import ACTIVE, COMPLETED, ERROR, QUEUED, JobRecord, now_ms
from ima2.jobs.store import Ledger
from ima2.models import Json, Receipt

log = logging.getLogger("ima2.jobs")
T = TypeVar("T")
ORDER_PATIENCE_S = 60.0
ORDER_PAUSE_S = 0.5


class Ending(Protocol):
    """Moves a job from running to ended, once."""

    async def end(
        self, running: RunningJob, record: JobRecord, event: Mapping[str, Json], error: Ima2Error | None = None
    ) -> bool: ...


class RunningJob:
    """The one right to run and to end a job, given at admission. Whoever was refused has none."""

    def __init__(self, ending: Ending, ledger: Ledger, record: JobRecord, verdict: str = "") -> None:
        self._ending = ending
        self._ledger = ledger
        self.record = record
        self.verdict = verdict
        """What was decided about a job that was taken over from a process that went away; else empty."""
        self.task: asyncio.Task[Any] | None = None
        self.error: Ima2Error | None = None
        """Why it failed, once it has."""
        self.suspended = False
        """Whether the process is going away and leaves the job, as stored, to the next one."""
        self.admitted = asyncio.Event()
        """Set once the job is stored, or was refused."""
        self.refused = False
        self.ended = asyncio.Event()
        """Set once the end is stored and told, or the job is suspended."""
        self.at_work = False
        """Whether its work has begun to wait for its turn, or further."""
        self._turn = asyncio.Event()
        self._orders = 0

    @property
    def id(self) -> str:
        """The job's id."""
        return self.record.id

    @property
    def client(self) -> str:
        """Who asked for it."""
        return self.record.client

    @property
    def over(self) -> bool:
        """Whether the job has ended, for instance because a person canceled it."""
        return self.record.over

    @property
    def age(self) -> float:
        """Seconds since the job began, in whichever process."""
        return max(0, now_ms() - self.record.started_at) / 1000

    # -- its turn ------------------------------------------------------------------------------

    async def turn(self) -> None:
        """Wait until it may run. Cancelled where it was stopped before."""
        if not self.over and not self.suspended:
            await self._turn.wait()
        if self.over or self.suspended:
            raise asyncio.CancelledError

    def stop(self) -> bool:
        """Cut its work off; whether there was any. What has not begun finds out by itself."""
        if self.task is None or self.task.done():
            return False
        if self.at_work:
            self.task.cancel()
        return self._turn.is_set()

    def begin(self) -> None:
        """Its turn has come."""
        if self.record.status == QUEUED:
            at = now_ms()
            self.record = replace(self.record, status=ACTIVE, place=None, started_at=at, phase_at=at)
            self._ledger.later(self.record)
        self._turn.set()

    # -- while it runs ---------------------------------------------------------------------------

    def phase(self, name: str) -> bool:
        """Move to another phase; returns whether that was a change."""
        if self.over or self.record.phase == name:
            return False
        self.record = replace(self.record, phase=name, phase_at=now_ms())
        self._ledger.later(self.record)
        return True

    def note(self, meta: Mapping[str, Json]) -> None:
        """Add to what the record shows, however the job ends."""
        if meta and not self.over:
            self.record = replace(self.record, meta={**self.record.meta, **meta})
            self._ledger.later(self.record)

    async def order(self) -> None:
        """Write down that something which costs money is sent next. It must not be sent when this raises.

        A busy database is waited for. Several orders of one job are one mark.
        """
        await self._written(lambda: self._mark(True))
        self._orders += 1

    async def clear_order(self) -> None:
        """Take one order back: it was refused, and cannot have been billed. The mark goes with the last of them."""
        self._orders = max(0, self._orders - 1)
        if self._orders or self.over or self.record.receipt or self.record.files:
            return
        try:
            await self._mark(False)
        except Ima2Error as error:  # the mark stays: that is the careful side
            log.warning("the mark of job %s stays: %s", self.id, error.text)

    async def keep(self, receipt: Receipt, meta: Mapping[str, Json] | None = None) -> None:
        """Store the upstream's own id of the paid work, before anything else happens.

        Where it cannot be stored at once the work goes on all the same: it is paid, and this process can collect it.
        """
        await self._store(receipt=receipt, meta={**self.record.meta, **(meta or {})})

    def add_file(self, key: str) -> None:
        """Note, soon, that a file of this job is kept (or is about to be) under a key. Names of files follow from the
        job, so that nothing is lost where the process dies before that."""
        if key not in self.record.files and not self.over:
            self.record = replace(self.record, files=(*self.record.files, key))
            self._ledger.later(self.record)

    async def complete(self, meta: Mapping[str, Json], event: Mapping[str, Json], http_status: int = 200) -> bool:
        """End well. ``event`` becomes the ``done`` event. False when the job had already ended."""
        return await self._end(status=COMPLETED, http_status=http_status, meta=meta, event=event)

    async def fail(
        self,
        error: Ima2Error,
        event: Mapping[str, Json],
        meta: Mapping[str, Json] | None = None,
        *,
        status: str = "",
    ) -> bool:
        """End badly. ``event`` becomes the ``error`` event. False when the job had already ended."""
        final = status or ("canceled" if error.code == CANCELED else ERROR)
        return await self._end(
            status=final, http_status=error.status, meta=meta or {}, event=event, error_code=error.code, error=error
        )

    # -- inside --------------------------------------------------------------------------------

    async def _mark(self, ordered: bool) -> None:
        if self.over:
            raise self.error or canceled()
        if ordered and self.record.ordered_at is None:
            at = now_ms()
            if not await self._ledger.order(self.record, at):
                raise interrupted()  # another process has taken the job over
            self.record = replace(self.record, ordered_at=at)
        elif not ordered and await self._ledger.clear_order(self.record):
            self.record = replace(self.record, ordered_at=None)

    async def _written(self, write: Callable[[], Awaitable[None]]) -> None:
        deadline = asyncio.get_running_loop().time() + ORDER_PATIENCE_S
        while True:
            try:
                return await write()
            except Ima2Error as error:
                if not may_pass(error) or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(ORDER_PAUSE_S)

    async def _store(self, **changes: Any) -> None:
        self.record = replace(self.record, **changes)
        try:
            await self._ledger.save(self.record)
        except Exception as error:
            log.warning("what job %s has got could not be stored yet: %s", self.id, type(error).__name__)

    async def _end(
        self,
        *,
        status: str,
        http_status: int,
        meta: Mapping[str, Json],
        event: Mapping[str, Json],
        error_code: str | None = None,
        error: Ima2Error | None = None,
    ) -> bool:
        record = replace(
            self.record,
            status=status,
            http_status=http_status,
            error_code=error_code,
            finished_at=now_ms(),
            meta={**self.record.meta, **meta},
            place=None,
        )
        return await self._ending.end(self, record, event, error)


async def run(running: RunningJob, work: Coroutine[Any, Any, T], fail: Callable[[Ima2Error], Awaitable[Any]]) -> T:
    """The work of a job from its turn on. However the work ends, the job has ended afterwards, or is suspended.

    Raises what its clients should see. ``fail`` ends the job with an error.
    """
    running.at_work = True
    try:
        await running.turn()
        answer = await work
    except asyncio.CancelledError:
        if running.suspended:
            raise suspended() from None
        if running.record.status == COMPLETED:
            raise
        if not running.over:  # nobody stopped it: something inside has cancelled itself
            await fail(_crash(running.id, "a cancellation from within"))
        raise (running.error or canceled()) from None
    except Exception as error:
        if not running.over and not running.suspended:
            await fail(error if isinstance(error, Ima2Error) else _crash(running.id, type(error).__name__))
        raise
    finally:
        work.close()  # where it never began
    if not running.over and not running.suspended:
        await fail(_crash(running.id, "no result"))
    return answer


def _crash(job_id: str, reason: str) -> Ima2Error:
    log.error("the work of job %s ended with %s", job_id, reason)
    return Ima2Error("JOB_CRASHED", 500, f"This job failed unexpectedly ({reason}); the log says where.")
