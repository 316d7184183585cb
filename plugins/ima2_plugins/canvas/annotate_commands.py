"""``ima2 annotate``: what is drawn over a picture, for this command line's own id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from ima2 import terminal

annotate = terminal.Group("annotate", help="What is drawn over a picture: get, set, rm.")


@annotate.command()
@click.argument("file")
@terminal.client_options
def get(server: str | None, as_json: bool, file: str) -> None:
    """Print it, always as JSON."""
    terminal.print_json(_ask(server, "GET", file))


@annotate.command("set")
@click.argument("file")
@click.option("--body", required=True, metavar="JSON|@FILE|-", help="Paths, boxes and memos, as JSON.")
@terminal.client_options
def put(server: str | None, as_json: bool, file: str, body: str) -> None:
    """Keep what is drawn over FILE, in the place of what was there."""
    value = _object(body)
    answer = _ask(server, "PUT", file, body=value)
    terminal.print_json(answer) if as_json else click.echo(terminal.tick(f"annotated {file}"))


@annotate.command()
@click.argument("file")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@terminal.client_options
def rm(server: str | None, as_json: bool, file: str, yes: bool) -> None:
    """Forget what is drawn over FILE."""
    if not terminal.confirm(f"Forget what is drawn over {file}?", yes=yes):
        click.echo("(canceled)")
        return
    answer = _ask(server, "DELETE", file)
    terminal.print_json(answer) if as_json else click.echo(terminal.tick(f"removed annotations of {file}"))


def _ask(server: str | None, method: str, file: str, **more: Any) -> dict[str, Any]:
    headers = {"X-Ima2-Browser-Id": terminal.browser_id()}
    return terminal.ask(server, method, f"/api/annotations/{quote(file, safe='')}", headers=headers, **more)


def _object(given: str) -> dict[str, Any]:
    text = (
        terminal.read_text("--body", Path(given.removeprefix("@"))) if given.startswith("@") or given == "-" else given
    )
    try:
        value = json.loads(text)
    except ValueError:
        raise click.UsageError("--body is not JSON.") from None
    if not isinstance(value, dict):
        raise click.UsageError("--body must be a JSON object.")
    return value
