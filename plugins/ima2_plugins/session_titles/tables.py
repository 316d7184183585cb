"""Conversations of the agent. Names, types and defaults are ima2-gen's, which opens the same file; times in
milliseconds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

import ima2

METADATA = MetaData()
AGENT_SESSIONS = Table(
    "agent_sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False, server_default="New Agent"),
    Column("codex_thread_id", Text),
    Column("last_turn_id", Text),
    Column("current_image_id", Text),
    Column("compacted", Integer, nullable=False, server_default="0"),
    Column("web_search_enabled", Integer, nullable=False, server_default="1"),
    Column("generation_settings", Text, nullable=False, server_default="{}"),
    Column("style_locks", Text, nullable=False, server_default="[]"),
    Column("subject_locks", Text, nullable=False, server_default="[]"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("idx_agent_sessions_updated", "updated_at"),
    info={"shared": True},
)
FACETS = (ima2.Facet(AGENT_SESSIONS.c.id, on="session_id", rows={"sessionTitle": AGENT_SESSIONS.c.title}),)
