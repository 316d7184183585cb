"""Sessions, turns and images in the database: each function is one piece of work of a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

import ima2
from ima2_plugins.agent.ids import new_id, now_ms
from ima2_plugins.agent.tables import FINDINGS, IMAGES, OWNED, SESSIONS, TURNS, unknown_session
from ima2_plugins.agent.values import dumps


def create(connection: Connection, title: str, *, web_search: bool, settings: Mapping[str, Any]) -> str:
    """A new session; its id."""
    now = now_ms()
    row = {
        "id": new_id("as"),
        "title": title,
        "codex_thread_id": new_id("codex"),
        "web_search_enabled": int(web_search),
        "generation_settings": dumps({**settings, "webSearchEnabled": web_search}),
        "created_at": now,
        "updated_at": now,
    }
    connection.execute(insert(SESSIONS), row)
    return str(row["id"])


def find(connection: Connection, session_id: str) -> RowMapping:
    """One session. 404 ``AGENT_SESSION_NOT_FOUND``."""
    row = connection.execute(select(SESSIONS).where(SESSIONS.c.id == session_id)).mappings().first()
    if row is None:
        raise unknown_session(session_id)
    return row


def newest(connection: Connection) -> Sequence[RowMapping]:
    """All sessions, the last changed first."""
    order = select(SESSIONS).order_by(SESSIONS.c.updated_at.desc(), SESSIONS.c.id.desc())
    return connection.execute(order).mappings().all()


def change(connection: Connection, session_id: str, **values: Any) -> None:
    """Write columns of a session, and that it changed. 404."""
    row = find(connection, session_id)
    values["updated_at"] = max(now_ms(), row["updated_at"])
    connection.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(**values))


def remove(connection: Connection, session_id: str) -> None:
    """Delete a session and all that belongs to it; its pictures stay in the gallery. 404."""
    find(connection, session_id)
    for table in OWNED:
        connection.execute(delete(table).where(table.c.session_id == session_id))
    connection.execute(delete(SESSIONS).where(SESSIONS.c.id == session_id))


def add_turn(
    connection: Connection,
    session_id: str,
    role: str,
    text: str,
    *,
    status: str = "complete",
    images: Sequence[str] = (),
    calls: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Append a turn; its id. ``calls`` are the tool calls that it tells of. 404 for a session that is gone."""
    findings = [one for call in calls for one in call.get("webFindingIds", ())]
    row = {
        "id": new_id("at"),
        "session_id": session_id,
        "role": role,
        "text": text,
        "status": status,
        "image_ids": dumps(list(images)),
        "web_finding_ids": dumps(list(dict.fromkeys(findings))),
        "raw": dumps({"toolCalls": list(calls)} if calls else {}),
        "created_at": now_ms(),
    }
    change(connection, session_id, last_turn_id=row["id"])
    connection.execute(insert(TURNS), row)
    return str(row["id"])


def turns(
    connection: Connection, session_id: str, limit: int, *, before: str = "", since: int = 0
) -> tuple[Sequence[RowMapping], bool]:
    """The newest turns, oldest first, at most ``limit``; whether older ones were left out. ``before`` is a turn's id,
    ``since`` a time in milliseconds."""
    asked = select(TURNS).where(TURNS.c.session_id == session_id)
    if since:
        asked = asked.where(TURNS.c.created_at > since)
    if before:
        mark = (
            select(TURNS.c.created_at).where(TURNS.c.id == before, TURNS.c.session_id == session_id).scalar_subquery()
        )
        earlier = (TURNS.c.created_at < mark) | ((TURNS.c.created_at == mark) & (TURNS.c.id < before))
        asked = asked.where(earlier)
    newest_first = asked.order_by(TURNS.c.created_at.desc(), TURNS.c.id.desc()).limit(limit + 1)
    rows = connection.execute(newest_first).mappings().all()
    return rows[limit - 1 :: -1] if len(rows) > limit else rows[::-1], len(rows) > limit


def add_image(connection: Connection, session_id: str, values: Mapping[str, Any], *, image_id: str = "") -> str:
    """Take a picture into a session and make it the current one; its id, which is a new one where ``image_id`` is
    another picture's. The same file is taken once."""
    known = select(IMAGES.c.id).where(IMAGES.c.session_id == session_id, IMAGES.c.filename == values["filename"])
    found = connection.execute(known).scalar()
    if found is None:
        taken = image_id and connection.execute(select(IMAGES.c.id).where(IMAGES.c.id == image_id)).first()
        found = new_id("ai") if taken or not image_id else image_id
        row = {"created_at": now_ms(), **values, "id": found, "session_id": session_id}
        connection.execute(insert(IMAGES), row)
    change(connection, session_id, current_image_id=found)
    return str(found)


def image(connection: Connection, session_id: str, image_id: str | None) -> RowMapping | None:
    """A picture of this session, not of another one."""
    mine = (IMAGES.c.id == image_id) & (IMAGES.c.session_id == session_id)
    return connection.execute(select(IMAGES).where(mine)).mappings().first()


def require_image(connection: Connection, session_id: str, image_id: str) -> str:
    """The id of a picture of this session. 404 ``AGENT_IMAGE_NOT_FOUND``."""
    if image(connection, session_id, image_id) is None:
        raise ima2.Ima2Error("AGENT_IMAGE_NOT_FOUND", 404, "This session has no such picture.")
    return image_id


def images(connection: Connection, session_id: str) -> Sequence[RowMapping]:
    """The pictures of a session, oldest first."""
    order = select(IMAGES).where(IMAGES.c.session_id == session_id).order_by(IMAGES.c.created_at, IMAGES.c.id)
    return connection.execute(order).mappings().all()


def counts(connection: Connection) -> dict[str, tuple[int, str]]:
    """How many pictures each session has, and the last one's id."""
    asked = select(IMAGES.c.session_id, func.count(), func.max(IMAGES.c.id)).group_by(IMAGES.c.session_id)
    return {row[0]: (row[1], row[2]) for row in connection.execute(asked)}


def add_finding(connection: Connection, session_id: str, query: str) -> str:
    """Note that the web was searched; the finding's id."""
    row = {"id": new_id("aw"), "session_id": session_id, "query": query, "created_at": now_ms()}
    connection.execute(insert(FINDINGS), row)
    return str(row["id"])


def findings(connection: Connection, session_id: str, limit: int) -> Sequence[RowMapping]:
    """The last searches of a session, newest first."""
    mine = select(FINDINGS).where(FINDINGS.c.session_id == session_id)
    return connection.execute(mine.order_by(FINDINGS.c.created_at.desc()).limit(limit)).mappings().all()
