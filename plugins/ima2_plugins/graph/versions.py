"""Saving a graph over the one that its writer has seen, and bringing an older one back."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update

import ima2
from ima2_plugins.graph.graph import Graph, graph_of
from ima2_plugins.graph.sessions import get_row, now, parse, read_graph
from ima2_plugins.graph.tables import EDGES, NODES, SESSIONS, VERSIONS

KEPT = 20
"""Versions of each graph that can come back."""


def save(connection: Connection, id: str, expected: int, graph: Graph, *, allow_empty: bool) -> int:
    """Replace the graph of a session, if it still has the version that the writer has seen. Returns the new version.

    404 ``SESSION_NOT_FOUND``; 409 ``GRAPH_VERSION_CONFLICT`` with ``currentVersion``, ``GRAPH_PARENT_CONFLICT``, and
    ``GRAPH_EMPTY`` where an empty graph would take the place of one that is not.
    """
    current = int(get_row(connection, id).graph_version)
    if current != expected:
        text = f"The graph was changed meanwhile: it has version {current}, not {expected}."
        raise ima2.Ima2Error("GRAPH_VERSION_CONFLICT", 409, text, details={"currentVersion": current})
    graph.check_parents()
    if not graph.nodes and not allow_empty and _node_count(connection, id):
        text = "An empty graph does not take the place of one that has nodes, unless allowEmpty is true."
        raise ima2.Ima2Error("GRAPH_EMPTY", 409, text, details={"currentVersion": current})
    _remember_current(connection, id, current)
    _write(connection, id, graph)
    _remember(connection, id, current + 1, {"nodes": list(graph.nodes), "edges": list(graph.edges)})
    connection.execute(update(SESSIONS).where(SESSIONS.c.id == id).values(graph_version=current + 1, updated_at=now()))
    return current + 1


def list_versions(connection: Connection, id: str) -> list[dict[str, int]]:
    """The versions of a graph that can come back, the newest first."""
    get_row(connection, id)
    mine = select(VERSIONS).where(VERSIONS.c.session_id == id).order_by(VERSIONS.c.version.desc())
    return [
        {"version": row.version, "savedAt": row.saved_at, "nodes": row.nodes, "edges": row.edges}
        for row in connection.execute(mine)
    ]


def read_version(connection: Connection, id: str, version: int) -> dict[str, Any]:
    """One version: ``nodes``, ``edges``, ``version``. 404 ``GRAPH_VERSION_NOT_FOUND``."""
    get_row(connection, id)
    mine = (VERSIONS.c.session_id == id) & (VERSIONS.c.version == version)
    row = connection.execute(select(VERSIONS).where(mine)).first()
    if row is None:
        text = f"Version {version} of the graph is not kept (the last {KEPT} are)."
        raise ima2.Ima2Error("GRAPH_VERSION_NOT_FOUND", 404, text)
    graph = parse(row.graph)
    return {"nodes": graph.get("nodes", []), "edges": graph.get("edges", []), "version": row.version}


def restore(connection: Connection, id: str, version: int, expected: int) -> tuple[int, Graph]:
    """Save an older version again, as a new one. Raises as `save` and `read_version` do."""
    old = read_version(connection, id, version)
    graph = graph_of(old["nodes"], old["edges"])
    return save(connection, id, expected, graph, allow_empty=True), graph


def _write(connection: Connection, id: str, graph: Graph) -> None:
    for table, rows in ((EDGES, graph.edges), (NODES, graph.nodes)):
        connection.execute(delete(table).where(table.c.session_id == id))
        if rows:
            values = [{**row, "session_id": id, "data": orjson.dumps(row["data"]).decode()} for row in rows]
            connection.execute(insert(table), values)


def _node_count(connection: Connection, id: str) -> int:
    mine = select(func.count()).select_from(NODES).where(NODES.c.session_id == id)
    return int(connection.execute(mine).scalar_one())


def _remember_current(connection: Connection, id: str, version: int) -> None:
    """Keep what is about to be replaced, where another program wrote it."""
    mine = (VERSIONS.c.session_id == id) & (VERSIONS.c.version == version)
    if connection.execute(select(VERSIONS.c.version).where(mine)).first() is None:
        graph = read_graph(connection, id)
        if graph["nodes"]:
            _remember(connection, id, version, graph)


def _remember(connection: Connection, id: str, version: int, graph: dict[str, list[dict[str, Any]]]) -> None:
    mine = VERSIONS.c.session_id == id
    connection.execute(delete(VERSIONS).where(mine, VERSIONS.c.version >= version))
    values = {
        "session_id": id,
        "version": version,
        "saved_at": now(),
        "nodes": len(graph["nodes"]),
        "edges": len(graph["edges"]),
        "graph": orjson.dumps(graph).decode(),
    }
    connection.execute(insert(VERSIONS), values)
    newest = select(VERSIONS.c.version).where(mine).order_by(VERSIONS.c.version.desc()).limit(KEPT)
    oldest = min(connection.execute(newest).scalars())
    connection.execute(delete(VERSIONS).where(mine, VERSIONS.c.version < oldest))
