"""ima2 providers: who makes pictures and clips."""

from __future__ import annotations

from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.server_discovery import ask_server, describe_source, open_worker
from ima2.client import ORDINARY_S

_SHOWN = 12


@click.command(context_settings=options.CONTEXT)
@click.option("--refresh", is_flag=True, help="Ask each service first which models the account really has.")
@options.client_options
def providers(server: str | None, as_json: bool, refresh: bool) -> None:
    """Show which providers are ready, and what the others lack.

    Without a server, the plugins of this installation are asked.
    """
    answer: dict[str, Any] | None
    looked: list[dict[str, Any]] = []
    if refresh:
        answer, base, looked = options.run_async(_refresh(server))
    else:
        answer, base = options.run_async(ask_server(server, "/api/providers", ORDINARY_S))
    if answer is None:
        from ima2.cli.local import local_providers

        answer = local_providers()
    if as_json:
        more = {"refreshed": looked} if refresh else {}
        output.print_json({**answer, **more, "source": "server" if base else "local", "server": base})
        return
    _print(answer, base, looked)


async def _refresh(server: str | None) -> tuple[dict[str, Any], str | None, list[dict[str, Any]]]:
    """Have the services asked, by the running server or in this process: all providers, the server's address, and
    what came of asking each."""
    async with open_worker(server, note="") as client:
        looked = await client.ask("POST", "/api/providers/refresh", body={}, limit=ORDINARY_S)
        answer = await client.ask("GET", "/api/providers", limit=ORDINARY_S)
        rows = [row for row in looked.get("providers", []) if isinstance(row, dict)]
        return answer, None if client.in_process else client.base, rows


def _print(answer: dict[str, Any], base: str | None, looked: list[dict[str, Any]]) -> None:
    rows = [row for row in answer.get("providers", []) if isinstance(row, dict)]
    cells = [(_mark_default(row, answer.get("default")), str(row.get("title", "")), _state(row)) for row in rows]
    click.echo(output.table(("ID", "PROVIDER", "STATE"), cells) if cells else "(no providers: see `ima2 plugins list`)")
    for row in looked:
        click.echo(output.plain(f"{row.get('id')}: {_models(row)}"))
    for row in rows:
        for warning in row.get("warnings") or () if not row.get("problem") else ():
            options.remark(f"Warning: {row.get('id')}: {warning}")
    click.echo(output.style(describe_source(base) + (" (* is the default)" if answer.get("default") else ""), "dim"))


def _models(row: dict[str, Any]) -> str:
    names = [str(name) for name in row.get("models") or ()]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    reason = str(row.get("reason") or "")
    if not shown:
        return reason or "Its service told no models."
    return f"{reason} Last seen: {shown}" if reason else f"lists {shown}"


def _mark_default(row: dict[str, Any], default: Any) -> str:
    return f"{row.get('id')}{' *' if row.get('id') == default else ''}"


def _state(row: dict[str, Any]) -> str:
    return str(row["problem"]) if row.get("problem") else "ready"
