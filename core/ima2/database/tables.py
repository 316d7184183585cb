"""The kernel's own tables. Times are milliseconds since the epoch, in 64 bits."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, SmallInteger, Table, Text

from ima2.contracts import Migration, Tables

metadata = MetaData()

schema = Table(
    "ima2_schema",
    MetaData(),
    Column("owner", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("applied_at", BigInteger, nullable=False),
)
"""Which step each owner's tables have taken."""

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
    Column("started_at", BigInteger, nullable=False),
    Column("phase", Text, nullable=False, server_default="queued"),
    Column("phase_at", BigInteger, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    Column("finished_at", BigInteger),
    Column("http_status", Integer),
    Column("error_code", Text),
    Column("ordered_at", BigInteger, doc="written right before something that costs money is sent"),
    Column("fence", BigInteger, nullable=False, server_default="1", doc="grows with every takeover"),
    Column("files", Text, nullable=False, server_default="[]", doc="keys kept so far, as JSON"),
    Column("client", Text, nullable=False, server_default=""),
    Column("direct", Boolean, nullable=False, server_default="0"),
    Column("place", BigInteger, doc="orders those in line"),
    Column("event", Text, doc="the data of the last event as JSON without pictures, until it was told"),
    Column("told_at", BigInteger, doc="when every sink had taken the last event"),
    Index("ima2_jobs_status", "status", "finished_at"),
)

library = Table(
    "ima2_library",
    metadata,
    Column("key", Text, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("session_id", Text),
    Column("request_id", Text),
    Column("modified", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sidecar_modified", BigInteger, nullable=False, server_default="0"),
    Column("thumb", SmallInteger, nullable=False, server_default="0"),
    Column("row", Text, nullable=False),
    Index("ima2_library_time", "created_at", "key"),
    Index("ima2_library_session", "session_id", "created_at"),
    Index("ima2_library_request", "request_id"),
)

LEDGER = Migration(
    1,
    (
        "ALTER TABLE ima2_jobs ADD COLUMN ordered_at BIGINT",
        "ALTER TABLE ima2_jobs ADD COLUMN fence BIGINT NOT NULL DEFAULT 1",
        "ALTER TABLE ima2_jobs ADD COLUMN files TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE ima2_jobs ADD COLUMN client TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE ima2_jobs ADD COLUMN direct BOOLEAN NOT NULL DEFAULT FALSE",
        "ALTER TABLE ima2_jobs ADD COLUMN place BIGINT",
        "ALTER TABLE ima2_jobs ADD COLUMN event TEXT",
        "ALTER TABLE ima2_jobs ADD COLUMN told_at BIGINT",
        # Nobody wrote down what was ordered before: to be safe, everything that ran was.
        "UPDATE ima2_jobs SET ordered_at = phase_at WHERE status = 'active'",
        "UPDATE ima2_jobs SET told_at = finished_at WHERE status <> 'active'",
    ),
)
"""The record of jobs becomes a ledger."""

TABLES = Tables(metadata, (LEDGER,))
