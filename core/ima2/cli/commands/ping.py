"""ima2 ping: whether the server answers."""

from __future__ import annotations

from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.server_discovery import find_server
from ima2.errors import Ima2Error


@click.command(context_settings=options.CONTEXT)
@options.client_options
@click.pass_context
def ping(ctx: click.Context, /, server: str | None, as_json: bool) -> None:
    """Ask whether the server answers."""
    try:
        found = options.run_async(find_server(server))
    except Ima2Error as error:
        if not as_json:
            raise
        output.print_json(output.envelope(error))
        ctx.exit(output.exit_code(error.code, error.status))
    if as_json:
        output.print_json({"ok": True, "base": found.base, **{k: v for k, v in found.health.items() if k != "ok"}})
        return
    click.echo(output.tick(f"{found.base}  {describe_health(found.health)}"))


def describe_health(health: dict[str, Any]) -> str:
    """One line about a server's answer to ``GET /api/health``."""
    uptime, jobs = health.get("uptimeSec"), health.get("activeJobs")
    return f"ima2 {health.get('version', '?')}, up {uptime} s, {jobs} active job{'' if jobs == 1 else 's'}"
