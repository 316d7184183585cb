"""ima2 providers: who makes pictures and clips."""

from __future__ import annotations

from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.server_discovery import ask_server, describe_source
from ima2.client import ORDINARY_S


@click.command(context_settings=options.CONTEXT)
@options.client_options
def providers(server: str | None, as_json: bool) -> None:
    """Show which providers are ready, and what the others lack.

    Without a server, the plugins of this installation are asked.
    """
    answer, base = options.run_async(ask_server(server, "/api/providers", ORDINARY_S))
    if answer is None:
        from ima2.cli.local import local_providers

        answer = local_providers()
    if as_json:
        output.print_json({**answer, "source": "server" if base else "local", "server": base})
        return
    rows = [row for row in answer.get("providers", []) if isinstance(row, dict)]
    cells = [(_mark_default(row, answer.get("default")), str(row.get("title", "")), _state(row)) for row in rows]
    click.echo(output.table(("ID", "PROVIDER", "STATE"), cells) if cells else "(no providers: see `ima2 plugins list`)")
    click.echo(output.style(describe_source(base) + (" (* is the default)" if answer.get("default") else ""), "dim"))


def _mark_default(row: dict[str, Any], default: Any) -> str:
    return f"{row.get('id')}{' *' if row.get('id') == default else ''}"


def _state(row: dict[str, Any]) -> str:
    return str(row["problem"]) if row.get("problem") else "ready"
