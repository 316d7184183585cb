"""``ima2 session``: sessions, their graphs and their styles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from ima2 import terminal
from ima2_plugins.graph.graph_commands import graph
from ima2_plugins.graph.style_commands import style_sheet

session = terminal.Group("session", help="Sessions of node mode: their graphs and style sheets.")
session.add_command(graph)
session.add_command(style_sheet)


def path_of(id: str, rest: str = "") -> str:
    """The address of a session, or of something below it."""
    return f"/api/sessions/{quote(id, safe='')}{rest}"


@session.command()
@terminal.client_options
def ls(server: str | None, as_json: bool) -> None:
    """List sessions, the one that changed last first."""
    answer = terminal.ask(server, "GET", "/api/sessions")
    if as_json:
        terminal.print_json({"sessions": answer["sessions"]})
    elif not answer["sessions"]:
        click.echo("(no sessions)")
    else:
        click.echo(terminal.table(("ID", "TITLE", "WHEN"), map(_cells, answer["sessions"])))


@session.command()
@click.argument("id")
@terminal.client_options
def show(server: str | None, as_json: bool, id: str) -> None:
    """Show a session: its title, the size of its graph, whether it keeps to a style."""
    answer = terminal.ask(server, "GET", path_of(id))
    if as_json:
        terminal.print_json(answer)
        return
    found = answer["session"]
    enabled = (found.get("styleSheet") or {}).get("enabled")
    lines = {"id": found["id"], "title": found["title"], "changed": _moment(found.get("updatedAt"))}
    nodes, edges = len(found.get("nodes", ())), len(found.get("edges", ()))
    lines["graph"] = f"version {found.get('graphVersion', 0)}, {nodes} nodes, {edges} edges"
    click.echo(terminal.pairs({**lines, "style sheet": "in use" if enabled else "not in use"}))


@session.command()
@click.argument("title", nargs=-1, required=True)
@terminal.client_options
def create(server: str | None, as_json: bool, title: tuple[str, ...]) -> None:
    """Begin a session called TITLE."""
    answer = terminal.ask(server, "POST", "/api/sessions", body={"title": " ".join(title)})
    terminal.print_json(answer) if as_json else click.echo(answer["session"]["id"])


@session.command()
@click.argument("id")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@terminal.client_options
def rm(server: str | None, as_json: bool, id: str, yes: bool) -> None:
    """Drop a session and its graph. The pictures stay."""
    if not terminal.confirm(f"Drop session {id} and its graph?", yes=yes):
        click.echo("(canceled)")
        return
    answer = terminal.ask(server, "DELETE", path_of(id))
    terminal.print_json(answer) if as_json else click.echo(terminal.tick(f"dropped {id}"))


@session.command()
@click.argument("id")
@click.argument("title", nargs=-1, required=True)
@terminal.client_options
def rename(server: str | None, as_json: bool, id: str, title: tuple[str, ...]) -> None:
    """Call a session TITLE."""
    answer = terminal.ask(server, "PATCH", path_of(id), body={"title": " ".join(title)})
    terminal.print_json(answer) if as_json else click.echo(terminal.tick(f"renamed {id}"))


def _cells(found: dict[str, Any]) -> tuple[str, str, str]:
    return str(found["id"]), str(found["title"]), _moment(found.get("updatedAt"))


def _moment(ms: object) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}" if isinstance(ms, int | float) else ""
