"""The server's gallery, page by page, as this command line's own reader (favourites belong to one)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ima2.cli.names import browser_id
from ima2.client import Client

PAGE = 500
"""Rows of the largest page that servers give."""
Query = Mapping[str, str | int | None]


async def page(client: Client, query: Query) -> dict[str, Any]:
    """One page: ``items``, and ``total`` and ``nextCursor`` where the server tells them."""
    answer = await client.ask("GET", "/api/history", query=query, headers={"X-Ima2-Browser-Id": browser_id()})
    items = answer.get("items")
    answer["items"] = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return answer


async def pages(client: Client, query: Query, count: int | None = None) -> AsyncIterator[dict[str, Any]]:
    """Page after page, newest first, to the end or until ``count`` rows have come.

    A cursor that stands still ends it.
    """
    cursor: dict[str, str | int | None] = {}
    left = count
    while left is None or left > 0:
        answer = await page(client, {**query, "limit": PAGE if left is None else min(PAGE, left), **cursor})
        yield answer
        left = None if left is None else left - len(answer["items"])
        found = answer.get("nextCursor")
        if not answer["items"] or not isinstance(found, dict):
            return
        following = {name: found[name] for name in ("before", "beforeFilename") if found.get(name) is not None}
        if not following or following == cursor:
            return
        cursor = following


def moment(value: Any) -> datetime | None:
    """A time as the gallery has it, in milliseconds, as UTC; ``None`` for what is none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e14:
        return None
    return datetime.fromtimestamp(value / 1000, UTC)
