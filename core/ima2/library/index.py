"""The index of everything made, in SQL: small rows, read in pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from ima2.contracts import Sql
from ima2.library.rows import build

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Entry:
    """One indexed file. ``row`` is the JSON of `rows.build`; times in milliseconds, ``size`` in bytes."""

    key: str
    created_at: int
    session_id: str | None
    request_id: str | None
    modified: int
    size: int
    sidecar_modified: int
    thumb: bool
    row: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """What a page of the gallery should hold, newest first. Times in milliseconds."""

    limit: int = 50
    since: int | None = None
    before: int | None = None
    before_key: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    favorites_of: str | None = None
    browser_id: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a page: the stored JSON and what changes on its own."""

    key: str
    created_at: int
    session_id: str | None
    thumb: bool
    favorite: bool
    row: bytes


_PUT = (
    "INSERT INTO ima2_library (key, created_at, session_id, request_id, modified, size, sidecar_modified, thumb, row) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET created_at = excluded.created_at, "
    "session_id = excluded.session_id, request_id = excluded.request_id, modified = excluded.modified, "
    "size = excluded.size, sidecar_modified = excluded.sidecar_modified, thumb = max(thumb, excluded.thumb), "
    "row = excluded.row"
)


def entry(
    key: str, facts: Mapping[str, Any], modified: int, size: int, sidecar_modified: int, *, thumb: bool = False
) -> Entry:
    """The index entry of a file."""
    row = build(key, facts, modified)
    return Entry(
        key,
        row["createdAt"],
        row["sessionId"] if isinstance(row["sessionId"], str) else None,
        row["requestId"] if isinstance(row["requestId"], str) else None,
        modified,
        size,
        sidecar_modified,
        thumb,
        orjson.dumps(row),
    )


class Index:
    """Rows of the gallery by key. ``total`` is kept in memory, so that a page never counts."""

    def __init__(self, database: Sql) -> None:
        self._database = database
        self.total = 0

    async def open(self) -> None:
        """Count once."""
        self.total = await self._database.read(_count)

    async def put(self, entries: Sequence[Entry]) -> None:
        """Insert or replace rows, in one transaction."""
        values = [
            (
                e.key,
                e.created_at,
                e.session_id,
                e.request_id,
                e.modified,
                e.size,
                e.sidecar_modified,
                e.thumb,
                e.row.decode(),
            )
            for e in entries
        ]

        def work(connection: Connection) -> int:
            keys = [value[0] for value in values]
            marks = ", ".join("?" * len(keys))
            known = connection.exec_driver_sql(
                f"SELECT count(*) FROM ima2_library WHERE key IN ({marks})",  # noqa: S608
                tuple(keys),
            ).scalar_one()
            connection.exec_driver_sql(_PUT, values)
            return len(keys) - int(known)

        if values:
            self.total += await self._database.write(work)

    async def get(self, key: str) -> Entry | None:
        """One row, if it is indexed."""

        def work(connection: Connection) -> Entry | None:
            row = connection.exec_driver_sql(
                "SELECT key, created_at, session_id, request_id, modified, size, sidecar_modified, thumb, row "
                "FROM ima2_library WHERE key = ?",
                (key,),
            ).first()
            if row is None:
                return None
            return Entry(row[0], row[1], row[2], row[3], row[4], row[5], row[6], bool(row[7]), row[8].encode())

        return await self._database.read(work)

    async def remove(self, keys: Iterable[str]) -> None:
        """Forget rows."""
        gone = [(key,) for key in keys]

        def work(connection: Connection) -> int:
            connection.exec_driver_sql("DELETE FROM ima2_library WHERE key = ?", gone)
            return _count(connection)

        if gone:
            self.total = await self._database.write(work)

    async def thumb_made(self, keys: Iterable[str]) -> None:
        """Note that files have a thumbnail now."""
        done = [(key,) for key in keys]
        if done:
            await self._database.write(
                lambda c: c.exec_driver_sql("UPDATE ima2_library SET thumb = 1 WHERE key = ?", done)
            )

    async def known(self) -> dict[str, tuple[int, int, int, bool]]:
        """For every key: modified, size, sidecar's modified, has a thumbnail."""

        def work(connection: Connection) -> dict[str, tuple[int, int, int, bool]]:
            rows = connection.exec_driver_sql("SELECT key, modified, size, sidecar_modified, thumb FROM ima2_library")
            return {row[0]: (row[1], row[2], row[3], bool(row[4])) for row in rows}

        return await self._database.read(work)

    async def without_thumb(self) -> list[str]:
        """Keys that have no thumbnail yet, newest first."""
        return await self._database.read(
            lambda c: list(
                c.exec_driver_sql("SELECT key FROM ima2_library WHERE thumb = 0 ORDER BY created_at DESC").scalars()
            )
        )

    async def page(self, query: Query) -> tuple[list[Listed], bool]:
        """One page, newest first, and whether more rows match."""
        statement, values = _select(query)

        def work(connection: Connection) -> list[Listed]:
            rows = connection.exec_driver_sql(statement, tuple(values))
            return [Listed(r[0], r[1], r[2], bool(r[3]), bool(r[4]), r[5].encode()) for r in rows]

        found = await self._database.read(work)
        return found[: query.limit], len(found) > query.limit

    async def titles(self, session_ids: Sequence[str]) -> dict[str, str]:
        """Titles of the sessions that the reference's tables know, graph and agent sessions alike."""

        def work(connection: Connection) -> dict[str, str]:
            there = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
            marks = ", ".join("?" * len(session_ids))
            titles: dict[str, str] = {}
            for table in ("agent_sessions", "sessions"):
                if table in there and session_ids:
                    rows = connection.exec_driver_sql(
                        f"SELECT id, title FROM {table} WHERE id IN ({marks})",  # noqa: S608
                        tuple(session_ids),
                    )
                    titles.update({row[0]: row[1] for row in rows})
            return titles

        return await self._database.read(work)


def splice(listed: Listed, thumb_url: str | None) -> bytes:
    """The row as sent: the stored JSON with its two changing fields."""
    thumb = orjson.dumps(thumb_url)
    favorite = b"true" if listed.favorite else b"false"
    return b"".join((listed.row[:-1], b',"thumb":', thumb, b',"isFavorite":', favorite, b"}"))


def _count(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM ima2_library").scalar_one())


def _select(query: Query) -> tuple[str, list[Any]]:
    where = ["1"]
    values: list[Any] = []
    favorite = "EXISTS (SELECT 1 FROM gallery_favorites f WHERE f.browser_id = ? AND f.filename = ima2_library.key)"
    head: list[Any] = [query.favorites_of or query.browser_id]
    for column, value in (("session_id", query.session_id), ("request_id", query.request_id)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    if query.since is not None:
        where.append("created_at > ?")
        values.append(query.since)
    if query.before is not None and query.before_key is not None:
        where.append("(created_at, key) < (?, ?)")
        values += [query.before, query.before_key]
    elif query.before is not None:
        where.append("created_at < ?")
        values.append(query.before)
    if query.favorites_of is not None:
        where.append(favorite)
        values.append(query.favorites_of)
    statement = (
        f"SELECT key, created_at, session_id, thumb, {favorite}, row FROM ima2_library "  # noqa: S608
        f"WHERE {' AND '.join(where)} ORDER BY created_at DESC, key DESC LIMIT {query.limit + 1}"
    )
    return statement, [*head, *values]
