"""Pages of the gallery in SQL: filters, order and the cursor, with the tables of facets joined before paging."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, literal, select, tuple_

from ima2.contracts import Facet, Sql
from ima2.database.tables import library as table
from ima2.library.names import thumb_of, url_of
from ima2.library.sidecar import row_of
from ima2.library_api import LibraryQuery

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

log = logging.getLogger("ima2.library")
FEW = 2000
"""Up to so many matches of a facet it is faster to begin with the facet and sort, beyond with the newest files."""
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
    wanted = select(table.c.key).where(*_conditions(query))
    order = (table.c.created_at.desc(), table.c.key.desc())
    for _, facet in facets:
        for name, column in facet.filters.items():
            if (value := query.filters.get(name)) is not None and (column is not None or value.lower() in _TRUE):
                hit = facet.key.isnot(None) if column is None else column == value
                wanted = wanted.where(_filter(connection, facet, and_(hit, _scope(facet, query.scope))))
    keys = list(connection.execute(wanted.order_by(*order).limit(query.limit + 1)).scalars())
    shown = keys[: query.limit]
    fields = _fields(facets, query.scope)
    columns = select(table.c.key, table.c.created_at, table.c.session_id, table.c.thumb, table.c.row)
    columns = columns.add_columns(*(column for _, column in fields))
    rows = connection.execute(columns.where(table.c.key.in_(shown)).order_by(*order)).all() if shown else []
    return [_listed(row, [name for name, _ in fields]) for row in rows], len(keys) > query.limit


def _conditions(query: LibraryQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.session_id is not None:
        found.append(table.c.session_id == query.session_id)
    if query.request_id is not None:
        found.append(table.c.request_id == query.request_id)
    if query.since is not None:
        found.append(table.c.created_at > query.since)
    if query.before is not None and query.before_key is not None:
        found.append(tuple_(table.c.created_at, table.c.key) < tuple_(literal(query.before), literal(query.before_key)))
    elif query.before is not None:
        found.append(table.c.created_at < query.before)
    return found


def _filter(connection: Connection, facet: Facet, hit: ColumnElement[bool]) -> ColumnElement[bool]:
    """Files that a facet has a row for: begun with the facet where it has few, file by file where it has many."""
    matches = select(facet.key).where(hit)
    some = matches.limit(FEW + 1).subquery()
    if connection.execute(select(func.count()).select_from(some)).scalar_one() <= FEW:
        return _on(facet).in_(connection.execute(matches).scalars().all())
    return exists(matches.where(facet.key == _on(facet)).correlate(table))


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
