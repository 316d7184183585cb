"""The clips of a series, by the topic in their rows."""

from __future__ import annotations

import orjson

from ima2.contracts import Sql

_WHERE = "FROM ima2_library WHERE key LIKE '%.mp4' AND json_extract(row, '$.videoSeries.topic') = ?"


async def series(database: Sql, topic: str, last: int) -> tuple[list[str], int]:
    """What the ``last`` clips of a topic showed, oldest first, and how many clips it has."""
    rows, count = await database.read(
        lambda c: (
            list(
                c.exec_driver_sql(
                    f"SELECT row {_WHERE} ORDER BY created_at DESC, key DESC LIMIT ?",
                    (topic, last),
                ).scalars()
            ),
            int(c.exec_driver_sql(f"SELECT count(*) {_WHERE}", (topic,)).scalar_one()),
        )
    )
    facts = [orjson.loads(row) for row in reversed(rows)]
    told = [one.get("revisedPrompt") or one.get("prompt") for one in facts]
    return [text for text in told if isinstance(text, str) and text.strip()], count
