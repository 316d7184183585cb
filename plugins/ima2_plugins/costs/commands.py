"""``ima2 costs``: what was spent, as the running server or this machine's ledger knows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import click

import ima2

ASK_S = 60.0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--by", type=click.Choice(["provider", "model", "day", "session", "client", "kind"]), default="provider")
@click.option("--since", default="", metavar="DAY", help="First day, as 2026-07-01 (UTC); this month's by default.")
@click.option("--until", default="", metavar="DAY", help="Last day; today by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--server", metavar="URL", help="Ask this server, and no other.")
def costs(by: str, since: str, until: str, as_json: bool, server: str | None) -> None:
    """Show what was spent: as reported, by list prices where nothing was, and what nobody knows."""
    query = {"by": by, "since": since or None, "until": until or None}

    async def ask() -> dict[str, Any]:
        async with ima2.command_context("costs").client(server, here=True) as client:
            return await client.ask("GET", "/api/costs", query=query, limit=ASK_S)

    found = asyncio.run(ask())
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(f"From {found['since']} to {found['until']} (UTC), in US dollars")
    click.echo(f"{by.upper():<24} {'JOBS':>6} {'REPORTED':>10} {'ESTIMATED':>10} {'UNKNOWN':>10}")
    for row in (*found["rows"], {"key": "total", **found["total"]}):
        click.echo(_line(row))
    for one in found["budgets"]:
        click.echo(f"Budget {one['name']}: ${one['usedUsd']:.2f} of ${one['limitUsd']:.2f}")


def _line(row: Mapping[str, Any]) -> str:
    amounts = " ".join(f"{row[name]:>10.4f}" for name in ("reportedUsd", "estimatedUsd", "unknownUsd"))
    return f"{row['key'] or '-':<24} {row['jobs']:>6} {amounts}"
