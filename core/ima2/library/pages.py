"""Pages of the gallery in SQL: filters, order and the cursor, with the tables of facets joined before paging."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, literal, select, tuple_

from ima2.contracts import Sql
from ima2.database.tables import library as table
from ima2.library.names import thumb_of, url_of
from ima2.library.sidecar import row_of
from ima2.library_api import LibraryQuery
from ima2.offers import Facet

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

log = logging.getLogger("ima2.library")
FEW, MANY = 2000, 20_000
"""Up to so many rows of a facet it is faster to begin with them, and beyond so many never."""
LOOKED_AT = 5000
"""The newest files that are tried before a facet's rows are."""
_TRUE = frozenset({"1", "true"})
_OWN_FIELDS = frozenset(row_of("x", {}, 0)) | {"thumb"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a page: the stored JSON and what changes on its own, thumbnail and fields of facets."""

    key: str
    created_at: int
    session_id: str | None
    thumb_url: str | None
    fields: Mapping[str, Any]
    row: bytes


class Pages:
    """Reads pages. A facet whose table cannot be read is left out, and logged, from then on."""

    def __init__(self, database: Sql, facets: Callable[[], Sequence[tuple[str, Facet]]]) -> None:
        self._database = database
        self._facets = facets
        self._broken: set[int] = set()

    def filters(self) -> set[str]:
        """The names of filters that facets offer."""
        return {name for _, facet in self._usable() for name in facet.filters}

    async def read(self, query: LibraryQuery) -> tuple[list[Listed], bool]:
        """One page, newest first, and whether more rows match."""
        facets = self._usable()
        try:
            return await self._database.read(lambda connection: _page(connection, query, facets))
        except Exception:
            if not await self._sort_out(facets, query):
                raise
            return await self.read(query)

    def _usable(self) -> list[tuple[str, Facet]]:
        return [(plugin, facet) for plugin, facet in self._facets() if id(facet) not in self._broken]

    async def _sort_out(self, facets: Sequence[tuple[str, Facet]], query: LibraryQuery) -> bool:
        """Whether a facet was to blame for a page that could not be read."""
        found = False
        for plugin, facet in facets:
            columns = [one for one in (*facet.filters.values(), *facet.rows.values()) if one is not None]
            probe = select(facet.key, *columns).where(_scope(facet, query.scope)).limit(1)
            try:
                await self._database.read(lambda connection, probe=probe: connection.execute(probe).first())  # type: ignore[misc]
            except Exception as error:
                log.warning("the gallery goes without a facet of plugin %s: %s", plugin, type(error).__name__)
                self._broken.add(id(facet))
                found = True
        return found


def _page(
    connection: Connection, query: LibraryQuery, facets: Sequence[tuple[str, Facet]]
) -> tuple[list[Listed], bool]:
    keys = _keys(connection, query, [hit for _, facet in facets for hit in _hits(facet, query)])
    shown = keys[: query.limit]
    fields = _fields(facets, query.scope)
    columns = select(table.c.key, table.c.created_at, table.c.session_id, table.c.thumb, table.c.row)
    columns = columns.add_columns(*(column for _, column in fields)).where(table.c.key.in_(shown))
    newest_first = columns.order_by(table.c.created_at.desc(), table.c.key.desc())
    rows = connection.execute(newest_first).all() if shown else []
    return [_listed(row, [name for name, _ in fields]) for row in rows], len(keys) > query.limit


def _keys(connection: Connection, query: LibraryQuery, hits: Sequence[_Hit]) -> list[str]:
    """The keys of a page and the next one.

    Where a facet has few rows it comes first and the files it names are put in order. Otherwise the newest files are
    asked one by one whether they match: quick where matches are dense, so only some of them before the facet's rows
    are tried, and all of them only where those are a great many.
    """
    count = _fewest(connection, hits)
    if not hits or count > MANY:
        return _run(connection, query, _newest(query, hits))
    if count > FEW:
        keys = _run(connection, query, _newest(query, hits, LOOKED_AT))
        if len(keys) > query.limit:
            return keys
    return _run(connection, query, _named(query, hits))


def _run(connection: Connection, query: LibraryQuery, statement: Select[Any]) -> list[str]:
    return list(connection.execute(statement.limit(query.limit + 1)).scalars())


def _newest(query: LibraryQuery, hits: Sequence[_Hit], most: int | None = None) -> Select[Any]:
    """Files in their order, filtered; of the ``most`` newest ones only, if that is given."""
    time = table.c.created_at
    found = select(table.c.key, time, table.c.session_id, table.c.request_id).where(*_conditions(query, time))
    found = found.order_by(time.desc(), table.c.key.desc())
    files = (found.limit(most) if most else found).subquery()
    matching = (exists(select(hit.facet.key).where(hit.facet.key == files.c[hit.facet.on], hit.clause)) for hit in hits)
    return select(files.c.key).where(*matching).order_by(files.c.created_at.desc(), files.c.key.desc())


def _named(query: LibraryQuery, hits: Sequence[_Hit]) -> Select[Any]:
    """Files that the facets name, put in order afterwards."""
    time = table.c.created_at + 0  # no column any more, so that no engine begins with the order
    found = select(table.c.key).where(*_conditions(query, time))
    for hit in hits:
        found = found.where(_on(hit.facet).in_(select(hit.facet.key).where(hit.clause)))
    return found.order_by(time.desc(), table.c.key.desc())


def _fewest(connection: Connection, hits: Sequence[_Hit]) -> int:
    """How many rows the facet with the fewest has; what is beyond `MANY` is not counted."""
    fewest = MANY + 1
    for hit in hits:
        some = select(hit.facet.key).where(hit.clause).limit(fewest).subquery()
        fewest = min(fewest, int(connection.execute(select(func.count()).select_from(some)).scalar_one()))
    return fewest


@dataclass(frozen=True, slots=True)
class _Hit:
    """What a filter demands of the rows of its facet."""

    facet: Facet
    clause: ColumnElement[bool]


def _hits(facet: Facet, query: LibraryQuery) -> Iterator[_Hit]:
    for name, column in facet.filters.items():
        value = query.filters.get(name)
        if value is not None and (column is not None or value.lower() in _TRUE):
            matches = facet.key.isnot(None) if column is None else column == value
            yield _Hit(facet, and_(matches, _scope(facet, query.scope)))


def _conditions(query: LibraryQuery, time: ColumnElement[int]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.session_id is not None:
        found.append(table.c.session_id == query.session_id)
    if query.request_id is not None:
        found.append(table.c.request_id == query.request_id)
    if query.since is not None:
        found.append(time > query.since)
    if query.before is not None and query.before_key is not None:
        found.append(tuple_(time, table.c.key) < tuple_(literal(query.before), literal(query.before_key)))
    elif query.before is not None:
        found.append(time < query.before)
    return found


def _fields(facets: Sequence[tuple[str, Facet]], scope: Mapping[str, str]) -> list[tuple[str, ColumnElement[Any]]]:
    """What facets add to a row, each asked of one row at a time. Where several offer a field the first value counts."""
    found: list[tuple[str, ColumnElement[Any]]] = []
    for _, facet in facets:
        hit = _matches(facet, scope)
        for name, column in facet.rows.items():
            if name in _OWN_FIELDS:
                continue
            if column is None:
                found.append((name, exists(select(facet.key).where(hit).correlate(table))))
            else:
                found.append((name, select(column).where(hit).limit(1).correlate(table).scalar_subquery()))
    return found


def _matches(facet: Facet, scope: Mapping[str, str]) -> ColumnElement[bool]:
    return and_(facet.key == _on(facet), _scope(facet, scope))


def _scope(facet: Facet, scope: Mapping[str, str]) -> ColumnElement[bool]:
    """The caller's own rows; none at all for a caller of whom nothing is known."""
    return and_(literal(True), *(column == scope.get(name, "") for name, column in facet.scope.items()))


def _on(facet: Facet) -> ColumnElement[Any]:
    return table.c[facet.on]


def _listed(row: Any, names: Sequence[str]) -> Listed:
    key, created_at, session_id, thumb, stored, *values = row
    fields: dict[str, Any] = {}
    for name, value in zip(names, values, strict=True):
        if fields.get(name) in (None, False):
            fields[name] = value
    url = url_of(thumb_of(key, thumb)) if thumb else None
    return Listed(key, created_at, session_id, url, fields, stored.encode())
