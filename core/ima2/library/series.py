"""The clips of a series, by the topic in their rows."""

from __future__ import annotations

import orjson
from sqlalchemy import select

from ima2.contracts import Sql
from ima2.database.tables import library as table
from ima2.library.sidecar import series_mark, series_text


async def series(database: Sql, topic: str, last: int) -> tuple[list[str], int]:
    """What the ``last`` clips of a topic showed, oldest first, and how many clips it has."""
    statement = (
        select(table.c.row)
        .where(table.c.key.like("%.mp4"), table.c.row.contains(series_mark(topic), autoescape=True))
        .order_by(table.c.created_at, table.c.key)
    )
    rows = await database.read(lambda connection: list(connection.execute(statement).scalars()))
    texts = [text for row in rows if (text := series_text(orjson.loads(row), topic)) is not None]
    return [text for text in texts[-last:] if text.strip()], len(texts)
