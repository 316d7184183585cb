"""The table of jobs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

METADATA = MetaData()
JOBS = Table(
    "card_news_jobs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, nullable=False, doc="the studio's job that is at work on it"),
    Column("status", Text, nullable=False),
    Column("state", Text, nullable=False, doc="JSON: the plan, its cards and how far each is"),
    Column("updated_at", BigInteger, nullable=False, doc="in milliseconds"),
    Index("card_news_jobs_by_status", "status", "updated_at"),
)
