"""Sessions and their graphs. Names, types and defaults are ima2-gen's, which opens the same file; times in ms.

``graph_versions`` is our own: the last states of each graph, so that any of them can come back.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    literal_column,
    select,
)

import ima2

METADATA = MetaData()
SHARED = {"shared": True}
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False, server_default="Untitled"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("graph_version", Integer, nullable=False, server_default="0"),
    Column("style_sheet", Text, doc="JSON"),
    Column("style_sheet_enabled", Integer, nullable=False, server_default="0"),
    info=SHARED,
)
_PLACE: Double[float] = Double().with_variant(REAL(), "sqlite")


def _session() -> Column[str]:
    return Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)


NODES = Table(
    "nodes",
    METADATA,
    _session(),
    Column("id", Text, primary_key=True),
    Column("x", _PLACE, nullable=False, server_default="0"),
    Column("y", _PLACE, nullable=False, server_default="0"),
    Column("data", Text, nullable=False, server_default="{}"),
    Index("idx_nodes_session", "session_id"),
    info=SHARED,
)
EDGES = Table(
    "edges",
    METADATA,
    _session(),
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("data", Text, nullable=False, server_default="{}"),
    Index("idx_edges_session", "session_id"),
    info=SHARED,
)
VERSIONS = Table(
    "graph_versions",
    METADATA,
    _session(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("saved_at", BigInteger, nullable=False),
    Column("nodes", Integer, nullable=False),
    Column("edges", Integer, nullable=False),
    Column("graph", Text, nullable=False, doc="JSON of nodes and edges"),
)
FACET = ima2.Facet(SESSIONS.c.id, on="session_id", rows={"sessionTitle": SESSIONS.c.title})


def rows_of(connection: Connection, table: Table, session_id: str) -> list[Any]:
    """The nodes or edges of a session, in the order they were written where the engine knows it."""
    statement: Select[Any] = select(table).where(table.c.session_id == session_id)
    order = literal_column("rowid") if connection.dialect.name == "sqlite" else table.c.id
    return list(connection.execute(statement.order_by(order)).all())
