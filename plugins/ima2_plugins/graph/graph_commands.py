"""``ima2 session graph``: a graph to a file and back, and its older versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

import ima2
from ima2 import terminal

_FINAL = frozenset({"GRAPH_VERSION_CONFLICT", "GRAPH_TOO_LARGE", "GRAPH_EMPTY"})
ADVICE = {
    "GRAPH_VERSION_CONFLICT": "Load it again and repeat the change, or save with --force.",
    "GRAPH_EMPTY": "Say --allow-empty if it is to be empty.",
}

graph = terminal.Group("graph", help="A session's graph: save, load, versions, restore.")


@graph.command()
@click.argument("id")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--file", "named", type=click.Path(path_type=Path), help="The same as FILE.")
@click.option("--force", is_flag=True, help="Save even if the graph was changed since the file was loaded.")
@click.option("--allow-empty", is_flag=True, help="Let an empty graph take the place of one with nodes.")
@terminal.client_options
def save(
    server: str | None, as_json: bool, id: str, file: Path | None, named: Path | None, force: bool, allow_empty: bool
) -> None:
    """Save the graph in FILE (JSON with nodes and edges; - for standard input).

    A file that names a version, as `load` writes it, only takes the place of that version.
    """
    sent = read_object(file or named)
    if not all(isinstance(sent.get(name), list) for name in ("nodes", "edges")):
        raise click.UsageError("The file must hold lists called nodes and edges.")
    version = None if force else sent.get("version")
    if version is None:
        version = terminal.ask(server, "GET", _path(id))["session"]["graphVersion"]
    body = {"nodes": sent["nodes"], "edges": sent["edges"], **({"allowEmpty": True} if allow_empty else {})}
    answer = _put(server, "PUT", _path(id, "/graph"), version, body)
    _print_saved(answer, as_json)


@graph.command()
@click.argument("id")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file.")
@terminal.client_options
def load(server: str | None, as_json: bool, id: str, out: Path | None) -> None:
    """Print the graph as JSON that `save` takes."""
    found = terminal.ask(server, "GET", _path(id))["session"]
    print_graph({"version": found["graphVersion"], "nodes": found["nodes"], "edges": found["edges"]}, out, as_json)


@graph.command()
@click.argument("id")
@terminal.client_options
def versions(server: str | None, as_json: bool, id: str) -> None:
    """List the versions that can come back, the newest first."""
    answer = terminal.ask(server, "GET", _path(id, "/graph/versions"))
    if as_json:
        terminal.print_json(answer)
    elif not answer["versions"]:
        click.echo("(no versions)")
    else:
        names = ("version", "nodes", "edges")
        click.echo(
            terminal.table(("VERSION", "NODES", "EDGES"), ([str(one[n]) for n in names] for one in answer["versions"]))
        )


@graph.command()
@click.argument("id")
@click.argument("version", type=click.IntRange(min=0))
@terminal.client_options
def restore(server: str | None, as_json: bool, id: str, version: int) -> None:
    """Save an older VERSION again, as the newest one."""
    current = terminal.ask(server, "GET", _path(id))["session"]["graphVersion"]
    answer = _put(server, "POST", _path(id, f"/graph/versions/{version}/restore"), current, None)
    _print_saved(answer, as_json)


def read_object(file: Path | None) -> dict[str, Any]:
    """The JSON object in a file; `click.UsageError` (exit 2) for anything else."""
    if file is None:
        raise click.UsageError("Name a file.")
    try:
        value = json.loads(terminal.read_text("FILE", file))
    except ValueError:
        raise click.UsageError(f"{file} is not JSON.") from None
    if not isinstance(value, dict):
        raise click.UsageError(f"{file} must hold a JSON object.")
    return value


def print_graph(value: dict[str, Any], out: Path | None, as_json: bool) -> None:
    """Indented JSON to stdout or into a file."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if out is not None:
        ima2.write_whole(out, f"{text}\n".encode())
        terminal.print_json({"path": str(out)}) if as_json else click.echo(terminal.tick(str(out)))
    elif as_json:
        terminal.print_json(value)
    else:
        click.echo(text)


def _put(server: str | None, method: str, path: str, version: Any, body: dict[str, Any] | None) -> dict[str, Any]:
    try:
        return terminal.ask(server, method, path, body=body, headers={"If-Match": f'"{version}"'})
    except ima2.Ima2Error as error:
        if error.code not in _FINAL:
            raise
        raise ima2.Ima2Error(error.code, 0, f"{error.text} {ADVICE.get(error.code, '')}".strip()) from None


def _print_saved(answer: dict[str, Any], as_json: bool) -> None:
    terminal.print_json(answer) if as_json else click.echo(terminal.tick(f"graphVersion {answer['graphVersion']}"))
    skipped = answer.get("skipped") or {}
    if any(skipped.values()):
        terminal.remark(
            f"Left out: {skipped.get('nodes', 0)} nodes without an id, {skipped.get('edges', 0)} loose edges."
        )


def _path(id: str, rest: str = "") -> str:
    return f"/api/sessions/{quote(id, safe='')}{rest}"
