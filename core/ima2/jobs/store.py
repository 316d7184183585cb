"""The ledger: what is promised and what was ordered, in SQL.

Whoever writes shows the fence it was given: a process that lost its job to another changes nothing any more. What
could not be written at once (a locked database, a full disk) waits here and is written as soon as that is possible.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from ima2.contracts import Sql
from ima2.database.failures import DB_CLOSED, may_pass
from ima2.errors import Ima2Error
from ima2.jobs.record import ACTIVE, OPEN, JobRecord, now_ms
from ima2.jobs.rows import columns, from_row, to_json

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table
    from sqlalchemy.sql.dml import Update

log = logging.getLogger("ima2.jobs")
PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
KEEP_MS = 86_400_000
"""How long ended jobs are kept."""
FORGET_EVERY = 256
Event = Mapping[str, Any]


class Ledger:
    """Keeps records. ``save`` waits until one is written; ``later`` writes the newest state of each some moments on.

    ``lost`` is called with a record whose job another process has taken over.
    """

    def __init__(self, database: Sql, lost: Callable[[JobRecord], None] = lambda record: None) -> None:
        self._database = database
        self._lost = lost
        self._waiting: dict[str, tuple[JobRecord, Event | None]] = {}
        self._told: dict[str, tuple[int, int]] = {}
        self._writer: asyncio.Task[None] | None = None
        self._ends = 0

    # -- writing -------------------------------------------------------------------------------

    async def insert(self, record: JobRecord) -> JobRecord | None:
        """Write a new record, in the place of an ended one of its id; ``None`` where that one has not ended."""
        if record.id in self._waiting:  # the end of its last run
            await self._write_waiting()

        def work(connection: Connection) -> JobRecord | None:
            table, values = _jobs(), {**columns(record), "owner": record.owner, "ordered_at": None}
            values |= {"event": None, "told_at": None}
            there = _one(connection, record.id)
            if there is None:
                connection.execute(table.insert().values({**values, "id": record.id, "fence": record.fence}))
                return record
            if not there.over:
                return None
            fence = there.fence + 1
            connection.execute(table.update().where(table.c.id == record.id).values({**values, "fence": fence}))
            return replace(record, fence=fence)

        return await self._database.write(work)

    async def save(self, record: JobRecord, event: Event | None = None) -> bool:
        """Write a record, with the data of its last event once it has ended. False when the job was lost.

        When that fails it is raised, and the record waits to be written later: nothing is lost.
        """
        self._waiting.pop(record.id, None)
        try:
            return await self._write_one(record, event)
        except BaseException:
            self._wait(record, event)
            raise

    def later(self, record: JobRecord) -> None:
        """Write a record soon: a phase that passes within the pause costs nothing."""
        self._wait(record, None)

    async def order(self, record: JobRecord, at: int) -> bool:
        """Mark a job as ordered, unless it is already, has ended, or was lost; returns whether this call did."""
        table = _jobs()
        marked = _own(record).where(table.c.ordered_at.is_(None), table.c.status.in_(OPEN)).values(ordered_at=at)
        return await self._changed(marked)

    async def clear_order(self, record: JobRecord) -> bool:
        """Take the mark back: what was sent was refused, and cannot have been billed."""
        return await self._changed(_own(record).where(_jobs().c.status.in_(OPEN)).values(ordered_at=None))

    async def claim(self, record: JobRecord, owner: str) -> JobRecord | None:
        """Put a job under a new owner; ``None`` when another process was faster or the job has ended."""

        def work(connection: Connection) -> JobRecord | None:
            table = _jobs()
            mine = _own(record).where(table.c.owner == record.owner, table.c.status.in_(OPEN))
            changed = connection.execute(mine.values(owner=owner, fence=record.fence + 1)).rowcount
            return _one(connection, record.id) if changed else None

        return await self._database.write(work)

    def told(self, record: JobRecord, at: int) -> None:
        """Note, soon, that every sink has taken the last event of a job."""
        self._told[record.id] = (record.fence, at)
        self._wake()

    # -- reading -------------------------------------------------------------------------------

    async def get(self, job_id: str) -> JobRecord | None:
        """One record as stored."""
        return await self._database.read(lambda connection: _one(connection, job_id))

    async def open(self) -> list[JobRecord]:
        """Everything that has not ended, whoever runs it: first what ran, then the line in its order."""
        table = _jobs()
        order = (table.c.status != ACTIVE, table.c.place, table.c.started_at)
        return await self._select(table.c.status.in_(OPEN), *order)

    async def ended_since(self, finished_at: int) -> list[JobRecord]:
        """What ended at or after a time (ms), oldest first."""
        table = _jobs()
        return await self._select(table.c.finished_at >= finished_at, table.c.finished_at)

    async def untold(self) -> list[tuple[JobRecord, Event]]:
        """Ends that not every sink is known to have taken, with the data of their events, oldest first."""

        def work(connection: Connection) -> list[tuple[JobRecord, Event]]:
            table = _jobs()
            missing = table.c.told_at.is_(None) & table.c.event.is_not(None)
            rows = connection.execute(table.select().where(missing).order_by(table.c.finished_at)).mappings()
            return [(from_row(row), orjson.loads(row["event"])) for row in rows]  # type: ignore[arg-type]

        return await self._database.read(work)

    async def forget(self) -> None:
        """Delete what ended more than `KEEP_MS` ago."""
        table = _jobs()
        old = table.delete().where(table.c.status.not_in(OPEN), table.c.finished_at < now_ms() - KEEP_MS)
        await self._database.write(lambda connection: connection.execute(old))

    async def flush(self) -> None:
        """Write what waits, now; what cannot be written is logged."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        with suppress(Exception):
            await self._write_waiting()

    # -- inside --------------------------------------------------------------------------------

    def _wait(self, record: JobRecord, event: Event | None) -> None:
        there = self._waiting.get(record.id)
        if there is None or there[0].fence < record.fence or not there[0].over:
            self._waiting[record.id] = (record, event)
        self._wake()

    def _wake(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write_soon())

    async def _write_soon(self) -> None:
        pause = PAUSE_S
        while self._waiting or self._told:
            await asyncio.sleep(pause)
            try:
                await self._write_waiting()
                pause = PAUSE_S
            except Ima2Error as error:
                if error.code == DB_CLOSED:
                    return
                pause = min(LONGEST_PAUSE_S, 2 * pause)

    async def _write_waiting(self) -> None:
        """Write everything that waits; what fails for a reason that may pass stays, and that is raised."""
        while self._waiting:
            record, event = self._waiting.pop(next(iter(self._waiting)))
            try:
                await self._write_one(record, event)
            except asyncio.CancelledError:
                self._waiting.setdefault(record.id, (record, event))
                raise
            except Exception as error:
                if not may_pass(error):
                    log.exception("job %s could not be stored", record.id)
                    continue
                log.warning("job %s could not be stored yet: %s", record.id, error)
                self._waiting.setdefault(record.id, (record, event))
                raise
        told = dict(self._told)
        if told:
            await self._database.write(lambda connection: _mark_told(connection, told))
            self._ends += len(told)
            if self._ends >= FORGET_EVERY:
                self._ends = 0
                await self.forget()
        self._told = {job_id: mark for job_id, mark in self._told.items() if told.get(job_id) != mark}

    async def _write_one(self, record: JobRecord, event: Event | None) -> bool:
        values = columns(record) | ({"event": to_json(dict(event))} if event is not None else {})
        held = await self._changed(_own(record).values(values))
        if not held:
            self._lost(record)
        return held

    async def _changed(self, statement: Update) -> bool:
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def _select(self, condition: ColumnElement[bool], *order: Any) -> list[JobRecord]:
        statement = _jobs().select().where(condition).order_by(*order)
        return await self._database.read(
            lambda connection: [from_row(row) for row in connection.execute(statement).mappings()]  # type: ignore[arg-type]
        )


def _jobs() -> Table:
    from ima2.database.tables import jobs  # here, because listing plugins must not pay for it

    return jobs


def _own(record: JobRecord) -> Update:
    """A change of this job by whoever holds this fence."""
    table = _jobs()
    return table.update().where(table.c.id == record.id, table.c.fence == record.fence)


def _one(connection: Connection, job_id: str) -> JobRecord | None:
    table = _jobs()
    row = connection.execute(table.select().where(table.c.id == job_id)).mappings().first()
    return from_row(row) if row is not None else None  # type: ignore[arg-type]


def _mark_told(connection: Connection, told: Mapping[str, tuple[int, int]]) -> None:
    table = _jobs()
    for job_id, (fence, at) in told.items():
        ended = table.update().where(table.c.id == job_id, table.c.fence == fence, table.c.status.not_in(OPEN))
        connection.execute(ended.values(told_at=at, event=None))
