"""ima2 ls: what was made."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.gallery import PAGE, moment, page, pages
from ima2.cli.money import describe_cost
from ima2.cli.server_discovery import LOCAL_GALLERY, open_worker
from ima2.client import Client
from ima2.settings.values import as_seconds

_SPAN = re.compile(r"\d+(?:\.\d+)?(s|m|h|d|w|y)", re.IGNORECASE)


@click.command(context_settings=options.CONTEXT)
@click.option("-n", "--count", default=20, show_default=True, type=click.IntRange(min=1), help="How many.")
@click.option("--all", "everything", is_flag=True, help="All there are.")
@click.option("--session", metavar="ID", help="Of this session only.")
@click.option("--favorites", is_flag=True, help="Favourites of this command line only.")
@click.option("--since", metavar="TIME", help="Made since then: 30m, 2h, 7d, or a date like 2026-11-20 (local time).")
@options.client_options
def ls(
    server: str | None,
    as_json: bool,
    count: int,
    everything: bool,
    session: str | None,
    favorites: bool,
    since: str | None,
) -> None:
    """List what was made, newest first."""
    query: dict[str, str | int | None] = {"sessionId": session, "favoritesOnly": 1 if favorites else None}
    if since:
        query["since"] = since_ms(since, time.time())
    answer = options.run_async(_listed(server, query, None if everything else count))
    if as_json:
        output.print_json(answer)
    elif not answer["items"]:
        click.echo("(no history)")
    else:
        _print_table(answer["items"])


def _print_table(items: list[dict[str, Any]]) -> None:
    """The columns that everybody has, and what something cost where that is known of any."""
    header: tuple[str, ...] = ("FILENAME", "Q", "SIZE", "WHEN", "PROMPT")
    rows: list[tuple[str, ...]] = [_cells(item) for item in items]
    costs = [describe_cost(item).removesuffix(" (list price)") for item in items]
    if any(costs):
        header = (*header[:4], "COST", header[4])
        rows = [(*row[:4], cost, row[4]) for row, cost in zip(rows, costs, strict=True)]
    click.echo(output.table(header, rows))


def since_ms(text: str, now: float) -> int:
    """A span before ``now`` (seconds of the epoch), or a date or time of day, in milliseconds of the epoch."""
    if _SPAN.fullmatch(text.strip()):
        return int((now - as_seconds(text)) * 1000)
    try:
        return int(datetime.fromisoformat(text.strip()).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise click.UsageError(f"--since: {text!r} is neither a span like 2h nor a date like 2026-11-20.") from None


async def _listed(server: str | None, query: dict[str, str | int | None], count: int | None) -> dict[str, Any]:
    """One page where that is enough, else page after page. ``total`` and ``nextCursor`` as the server has them."""
    async with open_worker(server, index=True, note=LOCAL_GALLERY) as client:
        if count is not None and count <= PAGE:
            answer = await page(client, {**query, "limit": count})
        else:
            answer = await _many(client, query, count)
    return {name: answer[name] for name in ("items", "total", "nextCursor") if name in answer}


async def _many(client: Client, query: dict[str, str | int | None], count: int | None) -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    async for last in pages(client, query, count):
        items += last["items"]
    return {**last, "items": items}


def _cells(item: dict[str, Any]) -> tuple[str, ...]:
    made = moment(item.get("createdAt"))
    stamp = f"{made:%Y-%m-%d %H:%M:%S}" if made else ""
    texts = (str(item.get(name) or "") for name in ("filename", "quality", "size"))
    return (*texts, stamp, options.short(item.get("userPrompt") or item.get("prompt"), 48))
