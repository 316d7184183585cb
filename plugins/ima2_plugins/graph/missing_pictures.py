"""Nodes whose picture is gone say so, and show nothing in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote, urlsplit

import orjson
from sqlalchemy import Connection, or_, select, update

from ima2_plugins.graph.sessions import now, parse
from ima2_plugins.graph.tables import NODES, SESSIONS

SERVED = "/generated/"
GONE = "asset-missing"


def mark(connection: Connection, keys: Sequence[str]) -> Mapping[str, int]:
    """Mark the nodes that show one of some files, and raise the version of their graphs. Counts what was changed."""
    wanted = set(keys)
    names = {name for key in wanted for name in (key.rpartition("/")[2], quote(key.rpartition("/")[2], safe="!'()*~"))}
    likely = or_(*(NODES.c.data.contains(name, autoescape=True) for name in sorted(names)))
    touched: set[str] = set()
    count = 0
    for row in connection.execute(select(NODES).where(likely)).all() if names else []:
        data = parse(row.data)
        if key_of(data.get("imageUrl")) in wanted:
            changed = orjson.dumps({**data, "imageUrl": None, "status": GONE}).decode()
            mine = (NODES.c.session_id == row.session_id) & (NODES.c.id == row.id)
            connection.execute(update(NODES).where(mine).values(data=changed))
            touched.add(row.session_id)
            count += 1
    for session_id in touched:
        values = {"graph_version": SESSIONS.c.graph_version + 1, "updated_at": now()}
        connection.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(values))
    return {"sessionsTouched": len(touched), "nodesTouched": count}


def key_of(url: object) -> str | None:
    """The file that an address of the gallery names; ``None`` for any other address."""
    try:
        path = urlsplit(url).path if isinstance(url, str) else ""
    except ValueError:
        return None
    return unquote(path.removeprefix(SERVED)) if path.startswith(SERVED) else None
