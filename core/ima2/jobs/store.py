"""Job records in SQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ima2.contracts import Sql
from ima2.jobs.record import JobRecord
from ima2.models import Receipt

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = logging.getLogger("ima2.jobs")
PAUSE_S = 0.2


class JobStore:
    """Keeps records. ``save`` waits until one is written; ``later`` writes the newest state of each some moments on."""

    def __init__(self, database: Sql) -> None:
        self._database = database
        self._waiting: dict[str, JobRecord] = {}
        self._writer: asyncio.Task[None] | None = None

    async def save(self, record: JobRecord) -> None:
        """Write a record, new or not. It takes the place of what waits for the same job."""
        self._waiting.pop(record.id, None)
        await self._database.write(_upsert(_columns(record)))

    async def claim(self, record: JobRecord, dead_owner: str) -> bool:
        """Put a running job of a dead process under its new owner; false when another process was faster."""
        statement = "UPDATE ima2_jobs SET owner = ? WHERE id = ? AND owner = ? AND status = 'active'"
        values = (record.owner, record.id, dead_owner)
        return await self._database.write(lambda c: c.exec_driver_sql(statement, values).rowcount == 1)

    def later(self, record: JobRecord) -> None:
        """Write a record soon: a phase that passes within the pause costs nothing. A failure is logged."""
        self._waiting[record.id] = record
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def flush(self) -> None:
        """Write what waits, now."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self._write(0)

    async def active(self) -> list[JobRecord]:
        """Everything stored as running, whoever runs it."""
        return await self._database.read(lambda c: _select(c, "status = 'active'", ()))

    async def ended_since(self, finished_at: int) -> list[JobRecord]:
        """What ended at or after a time (ms), oldest first."""
        return await self._database.read(
            lambda c: _select(c, "status != 'active' AND finished_at >= ?", (finished_at,))
        )

    async def forget_before(self, finished_at: int) -> None:
        """Delete what ended before a time (ms)."""
        await self._database.write(
            lambda c: c.exec_driver_sql(
                "DELETE FROM ima2_jobs WHERE status != 'active' AND finished_at < ?", (finished_at,)
            )
        )

    async def _write(self, pause: float = PAUSE_S) -> None:
        await asyncio.sleep(pause)
        while self._waiting:
            record = self._waiting.pop(next(iter(self._waiting)))
            try:
                await self._database.write(_upsert(_columns(record)))
            except Exception:
                log.exception("job %s could not be stored", record.id)


def _columns(record: JobRecord) -> dict[str, Any]:
    receipt = {"id": record.receipt.id, "data": dict(record.receipt.data)} if record.receipt else None
    return {
        "id": record.id,
        "kind": record.kind,
        "owner": record.owner,
        "prompt": record.prompt,
        "meta": orjson.dumps(dict(record.meta)).decode(),
        "request": orjson.dumps(dict(record.request)).decode(),
        "receipt": orjson.dumps(receipt).decode() if receipt else None,
        "session_id": record.session_id,
        "started_at": record.started_at,
        "phase": record.phase,
        "phase_at": record.phase_at,
        "status": record.status,
        "finished_at": record.finished_at,
        "http_status": record.http_status,
        "error_code": record.error_code,
    }


def _upsert(columns: Mapping[str, Any]) -> Callable[[Connection], object]:
    """A finished record is never overwritten by a late phase of the same run, but by a new run of its id."""
    names = ", ".join(columns)
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "id")
    marks = ", ".join("?" * len(columns))
    statement = (
        f"INSERT INTO ima2_jobs ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {sets} "  # noqa: S608
        "WHERE ima2_jobs.status = 'active' OR excluded.started_at > ima2_jobs.started_at OR excluded.status != 'active'"
    )
    return lambda connection: connection.exec_driver_sql(statement, tuple(columns.values()))


def _select(connection: Connection, where: str, values: tuple[Any, ...]) -> list[JobRecord]:
    rows = connection.exec_driver_sql(
        f"SELECT * FROM ima2_jobs WHERE {where} ORDER BY coalesce(finished_at, started_at)",  # noqa: S608
        values,
    ).mappings()
    records = []
    for row in rows:
        receipt = orjson.loads(row["receipt"]) if row["receipt"] else None
        records.append(
            JobRecord(
                row["id"],
                row["kind"],
                row["prompt"],
                orjson.loads(row["meta"]),
                orjson.loads(row["request"]),
                row["started_at"],
                row["phase"],
                row["phase_at"],
                row["owner"],
                row["status"],
                row["finished_at"],
                row["http_status"],
                row["error_code"],
                Receipt(receipt["id"], receipt["data"]) if receipt else None,
            )
        )
    return records
