"""The kernel's own tables, and those of the reference that it shares.

Names, types and defaults of the shared ones are the reference's: an old program opens the same
file. Times are milliseconds since the epoch, but seconds in ``gallery_favorites``.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Table, Text, UniqueConstraint, text

from ima2.contracts import Tables

metadata = MetaData()

jobs = Table(
    "ima2_jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("prompt", Text, nullable=False, server_default=""),
    Column("meta", Text, nullable=False, server_default="{}"),
    Column("request", Text, nullable=False, server_default="{}"),
    Column("receipt", Text),
    Column("session_id", Text),
    Column("started_at", Integer, nullable=False),
    Column("phase", Text, nullable=False, server_default="queued"),
    Column("phase_at", Integer, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    Column("finished_at", Integer),
    Column("http_status", Integer),
    Column("error_code", Text),
    Index("ima2_jobs_status", "status", "finished_at"),
)

library = Table(
    "ima2_library",
    metadata,
    Column("key", Text, primary_key=True),
    Column("created_at", Integer, nullable=False),
    Column("session_id", Text),
    Column("request_id", Text),
    Column("modified", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sidecar_modified", Integer, nullable=False, server_default="0"),
    Column("thumb", Boolean, nullable=False, server_default="0"),
    Column("row", Text, nullable=False),
    Index("ima2_library_time", "created_at", "key"),
    Index("ima2_library_session", "session_id", "created_at"),
    Index("ima2_library_request", "request_id"),
)

favorites = Table(
    "gallery_favorites",
    metadata,
    Column("id", Text, primary_key=True),
    Column("browser_id", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("favorited_at", Integer, nullable=False, server_default=text("(strftime('%s','now'))")),
    UniqueConstraint("browser_id", "filename"),
)

TABLES = Tables(metadata)
