"""The index of everything made, in SQL: small rows that a page is read from without opening a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from ima2.contracts import Sql
from ima2.database.tables import library as table
from ima2.library.names import NO_THUMB, is_media
from ima2.library.sidecar import encode, ids_of, row_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

AT_ONCE = 500
"""Keys in one statement: engines bound the number of parameters."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One indexed file. ``row`` is the JSON of `sidecar.row_of`; times in milliseconds, ``size`` in bytes.

    ``thumb`` is one of the forms of `names.thumb_of`; ``None`` leaves it as it was, and none for a new picture.
    """

    key: str
    created_at: int
    session_id: str | None
    request_id: str | None
    modified: int
    size: int
    sidecar_modified: int
    thumb: int | None
    row: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the index has of a file, to be compared with the file itself."""

    modified: int
    size: int
    sidecar_modified: int
    thumb: int


def entry_of(
    key: str, sidecar: Mapping[str, Any], modified: int, size: int, sidecar_modified: int, thumb: int | None = None
) -> Entry:
    """The index entry of a file."""
    row = row_of(key, sidecar, modified)
    created_at, session_id, request_id = ids_of(row)
    return Entry(
        key,
        created_at,
        session_id,
        request_id,
        modified,
        size,
        sidecar_modified,
        thumb,
        encode(row).decode(),
    )


class Index:
    """Rows of the gallery by key. ``total`` is kept in memory, so that a page never counts."""

    def __init__(self, database: Sql) -> None:
        self._database = database
        self.total = 0

    async def count(self) -> None:
        """Count anew: at the start, and after a walk, as other processes write too."""
        self.total = await self._database.read(_count)

    async def put(self, entries: Sequence[Entry]) -> None:
        """Insert or replace rows, in one transaction."""
        if entries:
            added = await self._database.write(lambda connection: _put(connection, entries))
            self.total += added  # read after the wait: others add at the same time

    async def get(self, key: str) -> Entry | None:
        """One row, if it is indexed."""
        found = await self._database.read(lambda c: c.execute(select(table).where(table.c.key == key)).first())
        return Entry(**found._asdict()) if found is not None else None

    async def remove(self, keys: Iterable[str]) -> None:
        """Forget rows."""
        gone = list(keys)

        def work(connection: Connection) -> int:
            return sum(
                connection.execute(delete(table).where(table.c.key.in_(some))).rowcount for some in portions(gone)
            )

        if gone:
            removed = await self._database.write(work)
            self.total -= removed

    async def set_thumb(self, keys: Iterable[str], form: int) -> None:
        """Note which thumbnail files have now."""
        changed = [{"known_key": key} for key in keys]
        statement = update(table).where(table.c.key == bindparam("known_key")).values(thumb=form)
        if changed:
            await self._database.write(lambda connection: connection.execute(statement, changed))

    async def known(self) -> dict[str, Known]:
        """Every file by its key."""
        columns = select(table.c.key, table.c.modified, table.c.size, table.c.sidecar_modified, table.c.thumb)
        return await self._database.read(lambda c: {row[0]: Known(*row[1:]) for row in c.execute(columns)})

    async def without_thumb(self) -> list[str]:
        """Keys of pictures and clips that have no thumbnail yet, newest first."""
        statement = select(table.c.key).where(table.c.thumb == NO_THUMB).order_by(table.c.created_at.desc())
        return await self._database.read(lambda c: [key for key in c.execute(statement).scalars() if is_media(key)])

    async def present(self, keys: Sequence[str]) -> list[str]:
        """Which of some keys are indexed."""
        statement = select(table.c.key).where(table.c.key.in_(keys))
        return await self._database.read(lambda c: list(c.execute(statement).scalars()))


def portions(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Keys in lists that fit one statement."""
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


def _put(connection: Connection, entries: Sequence[Entry]) -> int:
    """Update the rows that are there, insert the others; how many were inserted."""
    latest = {entry.key: entry for entry in entries}
    there = dict(_known(connection, list(latest)))
    old = [{**asdict(_with_thumb(latest[key], known)), "known_key": key} for key, known in there.items()]
    new = [asdict(_with_thumb(entry, None)) for key, entry in latest.items() if key not in there]
    if old:
        columns: dict[str, Any] = {name: bindparam(name) for name in table.c.keys() if name != "key"}  # noqa: SIM118
        connection.execute(update(table).where(table.c.key == bindparam("known_key")).values(columns), old)
    if new:
        connection.execute(insert(table), new)
    return len(new)


def _known(connection: Connection, keys: Sequence[str]) -> Iterator[tuple[str, Known]]:
    columns = select(table.c.key, table.c.modified, table.c.size, table.c.sidecar_modified, table.c.thumb)
    for some in portions(keys):
        for row in connection.execute(columns.where(table.c.key.in_(some))):
            yield row[0], Known(*row[1:])


def _with_thumb(entry: Entry, known: Known | None) -> Entry:
    """A thumbnail is of one content: another one wants another thumbnail."""
    if entry.thumb is not None:
        return entry
    same = known is not None and (known.modified, known.size) == (entry.modified, entry.size)
    return replace(entry, thumb=known.thumb if known is not None and same else NO_THUMB)


def _count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
