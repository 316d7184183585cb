"""The tables of agent mode. Names, types and defaults are ima2-gen's, which opens the same file; times in
milliseconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, Text

import ima2

METADATA = MetaData()
SHARED = {"shared": True}


def _id() -> Column[Any]:
    return Column("id", Text, primary_key=True)


def _text(name: str, default: str | None = None) -> Column[Any]:
    return Column(name, Text, nullable=False, server_default=default)


def _time(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)


def _flag(name: str, default: str) -> Column[Any]:
    return Column(name, Integer, nullable=False, server_default=default)


def _session() -> Column[Any]:
    return Column("session_id", Text, ForeignKey("agent_sessions.id", ondelete="CASCADE"), nullable=False)


SESSIONS = Table(
    "agent_sessions",
    METADATA,
    _id(),
    _text("title", "New Agent"),
    Column("codex_thread_id", Text),
    Column("last_turn_id", Text),
    Column("current_image_id", Text),
    _flag("compacted", "0"),
    _flag("web_search_enabled", "1"),
    _text("generation_settings", "{}"),
    _text("style_locks", "[]"),
    _text("subject_locks", "[]"),
    _time("created_at"),
    _time("updated_at"),
    Index("idx_agent_sessions_updated", "updated_at"),
    info=SHARED,
)
TURNS = Table(
    "agent_turns",
    METADATA,
    _id(),
    _session(),
    _text("role"),
    _text("text", ""),
    _text("status", "complete"),
    _text("image_ids", "[]"),
    _text("web_finding_ids", "[]"),
    _text("raw", "{}"),
    _time("created_at"),
    Index("idx_agent_turns_session", "session_id", "created_at"),
    info=SHARED,
)
IMAGES = Table(
    "agent_images",
    METADATA,
    _id(),
    _session(),
    _text("filename"),
    _text("url"),
    Column("thumb_url", Text),
    Column("prompt", Text),
    Column("revised_prompt", Text),
    Column("width", Integer),
    Column("height", Integer),
    _time("created_at"),
    Index("idx_agent_images_session", "session_id", "created_at"),
    info=SHARED,
)
REFERENCES = Table(
    "agent_references",
    METADATA,
    _id(),
    _session(),
    _text("role", "source"),
    Column("image_id", Text),
    Column("filename", Text),
    Column("url", Text),
    Column("prompt", Text),
    _time("created_at"),
    info=SHARED,
)
FINDINGS = Table(
    "agent_web_findings",
    METADATA,
    _id(),
    _session(),
    _text("query", ""),
    Column("url", Text),
    Column("title", Text),
    Column("snippet", Text),
    _time("created_at"),
    Index("idx_agent_web_findings_session", "session_id", "created_at"),
    info=SHARED,
)
QUEUE = Table(
    "agent_queue_items",
    METADATA,
    _id(),
    _session(),
    _text("request_id", ""),
    _text("prompt", ""),
    _text("options", "{}"),
    _text("tool_plan", "{}"),
    _text("status", "queued"),
    Column("position", Integer, nullable=False, server_default="0"),
    _text("result_image_ids", "[]"),
    Column("error_code", Text),
    Column("error_message", Text),
    _time("created_at"),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Index("idx_agent_queue_session", "session_id", "status", "created_at"),
    Index("idx_agent_queue_status", "status", "created_at"),
    info=SHARED,
)
OWNED = (TURNS, IMAGES, REFERENCES, FINDINGS, QUEUE)
"""Tables whose rows belong to a session and go with it."""


def unknown_session(session_id: str) -> ima2.Ima2Error:
    """404 for a session that is not there."""
    return ima2.Ima2Error("AGENT_SESSION_NOT_FOUND", 404, f"Agent session not found: {session_id[:64]}")


TITLES = ima2.Facet(SESSIONS.c.id, on="session_id", rows={"sessionTitle": SESSIONS.c.title})
"""A conversation's title beside what was drawn in it."""
