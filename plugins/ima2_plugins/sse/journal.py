"""The ring on disk, so that numbering and replay go on after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    delete,
    false,
    func,
    insert,
    or_,
    select,
)

import ima2
from ima2_plugins.sse.ring import Entry

METADATA = MetaData()
EVENTS = Table(
    "sse_events",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("data", Text, nullable=False, doc="JSON as replayed, without large pictures"),
    Column("terminal", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False, doc="epoch milliseconds"),
    Column("direct", Boolean, nullable=False, server_default=false(), doc="see `ima2.Event`"),
)
TABLES = ima2.Tables(
    METADATA, (ima2.Migration(1, ("ALTER TABLE sse_events ADD COLUMN direct BOOLEAN NOT NULL DEFAULT FALSE",)),)
)


class Journal:
    """Writes events down before anyone hears of them, and reads them back."""

    def __init__(self, database: ima2.Sql) -> None:
        self._database = database

    async def load(self, depth: int, since: int) -> list[Entry]:
        """The newest ``depth`` events and older terminal ones not before ``since`` (epoch ms), by id."""

        def work(connection: Connection) -> list[Entry]:
            newest = select(EVENTS.c.id).order_by(EVENTS.c.id.desc()).limit(depth)
            wanted = or_(EVENTS.c.id.in_(newest), and_(EVENTS.c.terminal, EVENTS.c.created_at >= since))
            rows = connection.execute(select(EVENTS).where(wanted).order_by(EVENTS.c.id))
            return [
                Entry(row.id, row.name, row.job_id, row.data.encode(), row.terminal, row.created_at, row.direct)
                for row in rows
            ]

        return await self._database.read(work)

    async def append(self, entries: Sequence[Entry], owed: Sequence[Entry] = ()) -> list[Entry]:
        """Write events down in one transaction, and give them back under the numbers they got: higher ones where
        another process has written meanwhile. ``owed`` were heard already and keep theirs."""

        def work(connection: Connection) -> list[Entry]:
            newest = connection.execute(select(func.max(EVENTS.c.id))).scalar() or 0
            shift = max(0, newest + 1 - entries[0].id) if entries else 0
            numbered = [replace(entry, id=entry.id + shift) for entry in entries]
            connection.execute(insert(EVENTS), [_row(entry) for entry in (*owed, *numbered)])
            return numbered

        return await self._database.write(work)

    async def has_end(self, job_id: str, since: int) -> bool:
        """Whether a terminal event of a job was written down at or after a time (epoch ms)."""
        ends = EVENTS.c.terminal & (EVENTS.c.job_id == job_id) & (EVENTS.c.created_at >= since)
        found = select(EVENTS.c.id).where(ends).limit(1)
        return await self._database.read(lambda connection: connection.execute(found).first() is not None)

    async def prune(self, depth: int, since: int) -> None:
        """Forget what `load` would not give."""

        def work(connection: Connection) -> None:
            beyond = select(EVENTS.c.id).order_by(EVENTS.c.id.desc()).offset(depth).limit(1).scalar_subquery()
            expired = or_(~EVENTS.c.terminal, EVENTS.c.created_at < since)
            connection.execute(delete(EVENTS).where(EVENTS.c.id <= beyond, expired))

        await self._database.write(work)


def _row(entry: Entry) -> dict[str, ima2.Json]:
    return {
        "id": entry.id,
        "name": entry.name,
        "job_id": entry.job_id,
        "data": entry.data.decode(),
        "terminal": entry.terminal,
        "created_at": entry.created_at,
        "direct": entry.direct,
    }
