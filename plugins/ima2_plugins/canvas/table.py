"""What is drawn over pictures. Names, types and defaults are ima2-gen's, which opens the same file; times in s."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

import ima2

METADATA = MetaData()
ANNOTATIONS = Table(
    "image_annotations",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("browser_id", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("schema_version", Integer, nullable=False, server_default="1"),
    Column("created_at", BigInteger, nullable=False, server_default=ima2.now_seconds(), doc="in seconds"),
    Column("updated_at", BigInteger, nullable=False, server_default=ima2.now_seconds(), doc="in seconds"),
    UniqueConstraint("browser_id", "filename"),
    Index("idx_image_annotations_filename", "filename"),
    info={"shared": True},
)


def read(connection: Connection, browser: str, filename: str) -> Mapping[str, Any] | None:
    """What a browser has drawn over a file. What is no JSON object counts as nothing, and stays as it is."""
    payload = connection.execute(select(ANNOTATIONS.c.payload).where(_mine(browser, filename))).scalar()
    try:
        value = orjson.loads(payload or "null")
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def write(connection: Connection, browser: str, filename: str, payload: str) -> None:
    """Keep what a browser has drawn, in the place of what was there."""
    values = {"payload": payload, "schema_version": 1, "updated_at": int(time.time())}
    if connection.execute(update(ANNOTATIONS).where(_mine(browser, filename)).values(values)).rowcount == 0:
        own = {"id": f"{browser}:{filename}", "browser_id": browser, "filename": filename}
        connection.execute(insert(ANNOTATIONS), {**own, **values, "created_at": values["updated_at"]})


def remove(connection: Connection, browser: str, filename: str) -> None:
    """Forget what a browser has drawn, if anything."""
    connection.execute(delete(ANNOTATIONS).where(_mine(browser, filename)))


def _mine(browser: str, filename: str) -> Any:
    return (ANNOTATIONS.c.browser_id == browser) & (ANNOTATIONS.c.filename == filename)
