"""Who marked what. Name, types and defaults are ima2-gen's, which opens the same file."""

from __future__ import annotations

import time
import uuid

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, UniqueConstraint, delete, insert

import ima2

METADATA = MetaData()
FAVORITES = Table(
    "gallery_favorites",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("browser_id", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("favorited_at", BigInteger, nullable=False, server_default=ima2.now_seconds(), doc="in seconds"),
    UniqueConstraint("browser_id", "filename"),
    info={"shared": True},
)
FACET = ima2.Facet(
    FAVORITES.c.filename,
    scope={"browser_id": FAVORITES.c.browser_id},
    filters={"favoritesOnly": None},
    rows={"isFavorite": None},
)


def toggle(connection: Connection, browser: str, filename: str) -> bool:
    """Mark a file, or take the mark away; whether it is marked now."""
    mine = (FAVORITES.c.browser_id == browser) & (FAVORITES.c.filename == filename)
    if connection.execute(delete(FAVORITES).where(mine)).rowcount:
        return False
    row = {"id": uuid.uuid4().hex, "browser_id": browser, "filename": filename, "favorited_at": int(time.time())}
    connection.execute(insert(FAVORITES), row)
    return True
