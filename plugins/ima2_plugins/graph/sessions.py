"""Sessions in the database: each function works on a connection, within one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update

import ima2
from ima2_plugins.graph.ids import session_id
from ima2_plugins.graph.tables import EDGES, NODES, SESSIONS, rows_of

LONGEST_TITLE = 200
FIRST_TITLE = "My first graph"


def now() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def missing() -> ima2.Ima2Error:
    """404 ``SESSION_NOT_FOUND``."""
    return ima2.Ima2Error("SESSION_NOT_FOUND", 404, "There is no such session.")


def list_sessions(connection: Connection) -> list[dict[str, Any]]:
    """All of them with how many nodes they have, the one that changed last first."""
    count = select(func.count()).select_from(NODES).where(NODES.c.session_id == SESSIONS.c.id).scalar_subquery()
    order = (SESSIONS.c.updated_at.desc(), SESSIONS.c.id.desc())
    rows = connection.execute(select(SESSIONS, count.label("node_count")).order_by(*order)).all()
    return [{**summary(row), "nodeCount": row.node_count} for row in rows]


def create(connection: Connection, title: str) -> dict[str, Any]:
    """A new session without a graph."""
    moment = now()
    row = {"id": session_id(), "title": title[:LONGEST_TITLE], "created_at": moment, "updated_at": moment}
    connection.execute(insert(SESSIONS), row)
    return summary(get_row(connection, str(row["id"])))


def ensure_one(connection: Connection) -> None:
    """Make sure that there is a session to work in."""
    if connection.execute(select(SESSIONS.c.id).limit(1)).first() is None:
        create(connection, FIRST_TITLE)


def read(connection: Connection, id: str) -> dict[str, Any]:
    """A session with its graph: flat, as pages read it, and as ``graph`` and ``styleSheet``, as command lines do."""
    row = get_row(connection, id)
    graph = read_graph(connection, id)
    return {
        **summary(row),
        **graph,
        "graph": {**graph, "version": row.graph_version},
        "styleSheet": {"enabled": bool(row.style_sheet_enabled)},
    }


def read_graph(connection: Connection, id: str) -> dict[str, list[dict[str, Any]]]:
    """Nodes and edges of a session. Data that is no JSON is shown as empty, and left as it is."""
    nodes = [
        {"id": row.id, "x": _short(row.x), "y": _short(row.y), "data": parse(row.data)}
        for row in rows_of(connection, NODES, id)
    ]
    edges = [
        {"id": row.id, "source": row.source, "target": row.target, "data": parse(row.data)}
        for row in rows_of(connection, EDGES, id)
    ]
    return {"nodes": nodes, "edges": edges}


def rename(connection: Connection, id: str, title: str) -> None:
    """Give a session another title."""
    values = {"title": title[:LONGEST_TITLE], "updated_at": now()}
    if connection.execute(update(SESSIONS).where(SESSIONS.c.id == id).values(values)).rowcount == 0:
        raise missing()


def remove(connection: Connection, id: str) -> None:
    """Drop a session; its nodes, edges and versions go with it, its pictures stay."""
    if connection.execute(delete(SESSIONS).where(SESSIONS.c.id == id)).rowcount == 0:
        raise missing()


def get_row(connection: Connection, id: str) -> Any:
    """The row of a session. 404 ``SESSION_NOT_FOUND``."""
    row = connection.execute(select(SESSIONS).where(SESSIONS.c.id == id)).first()
    if row is None:
        raise missing()
    return row


def summary(row: Any) -> dict[str, Any]:
    """What lists show of a session."""
    times = {"createdAt": row.created_at, "updatedAt": row.updated_at}
    return {"id": row.id, "title": row.title, **times, "graphVersion": row.graph_version}


def parse(text: str | None) -> Mapping[str, Any]:
    """The JSON object in a column; an empty one for anything else."""
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value
