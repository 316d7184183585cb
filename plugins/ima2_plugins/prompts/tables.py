"""The tables of the prompt library. Names, types and defaults are ima2-gen's, which opens the same file."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, Table, Text, UniqueConstraint

import ima2

ROOT, TRASH = "__root__", "__trash__"
SYSTEM = (ROOT, TRASH)
METADATA = MetaData()
FOLDERS = Table(
    "prompt_folders",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("parent_id", Text, nullable=False),
    Column("name", Text().with_variant(Text(collation="NOCASE"), "sqlite"), nullable=False),
    Column("created_at", BigInteger, nullable=False, server_default=ima2.now_seconds(), doc="in seconds"),
    Column("updated_at", BigInteger, nullable=False, server_default=ima2.now_seconds(), doc="in seconds"),
    UniqueConstraint("parent_id", "name"),
    info={"shared": True},
)
PROMPTS = Table(
    "prompts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column(
        "folder_id",
        Text,
        ForeignKey("prompt_folders.id", ondelete="SET DEFAULT"),
        nullable=False,
        server_default=ROOT,
    ),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("tags", Text, doc="a JSON array, or null"),
    Column("mode", Text),
    Column("is_favorite", Integer, nullable=False, server_default="0"),
    Column("favorited_at", BigInteger, doc="in seconds"),
    Column("created_at", BigInteger, nullable=False, server_default=ima2.now_seconds(), doc="in seconds"),
    Column("updated_at", BigInteger, nullable=False, server_default=ima2.now_seconds(), doc="in seconds"),
    info={"shared": True},
)
