"""``ima2 session style-sheet``: the style that a session keeps to."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

import ima2
from ima2 import terminal
from ima2_plugins.graph.graph_commands import read_object

LIMIT_S = 120.0
style_sheet = terminal.Group("style-sheet", help="A session's style: get, put, enable, disable, extract.")


@style_sheet.command()
@click.argument("id")
@terminal.client_options
def get(server: str | None, as_json: bool, id: str) -> None:
    """Print the style sheet, always as JSON."""
    terminal.print_json(terminal.ask(server, "GET", _path(id)))


@style_sheet.command()
@click.argument("id")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--file", "named", type=click.Path(path_type=Path), help="The same as FILE.")
@terminal.client_options
def put(server: str | None, as_json: bool, id: str, file: Path | None, named: Path | None) -> None:
    """Store the sheet in FILE: a sheet, or an object with styleSheet and perhaps enabled."""
    value = read_object(file or named)
    body = value if "styleSheet" in value else {"styleSheet": value}
    _print(terminal.ask(server, "PUT", _path(id), body=body), as_json, "stored")


@style_sheet.command()
@click.argument("id")
@terminal.client_options
def enable(server: str | None, as_json: bool, id: str) -> None:
    """Make the session's pictures in its style from now on."""
    _print(terminal.ask(server, "PATCH", _path(id, "/enabled"), body={"enabled": True}), as_json, "in use")


@style_sheet.command()
@click.argument("id")
@terminal.client_options
def disable(server: str | None, as_json: bool, id: str) -> None:
    """Use the style no longer; it stays stored."""
    _print(terminal.ask(server, "PATCH", _path(id, "/enabled"), body={"enabled": False}), as_json, "no longer in use")


@style_sheet.command()
@click.argument("id")
@click.option("--prompt", help="Words to read the style from, in place of the prompts of the session's nodes.")
@click.option("--ref", "reference", type=click.Path(path_type=Path), help="A picture to read it from too.")
@terminal.client_options
def extract(server: str | None, as_json: bool, id: str, prompt: str | None, reference: Path | None) -> None:
    """Read a style sheet from the session and store it. Prints JSON. Costs what the provider takes for words."""
    body: dict[str, Any] = {"prompt": prompt} if prompt else {}
    if reference is not None:
        data = terminal.read_bytes(reference)
        media_type = ima2.media_type_of(data)
        if media_type is None or not media_type.startswith("image/"):
            raise click.UsageError(f"{reference} is no PNG, JPEG or WebP picture.")
        body["referenceDataUrl"] = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    terminal.print_json(terminal.ask(server, "POST", _path(id, "/extract"), body=body, limit=LIMIT_S))


def _print(answer: dict[str, Any], as_json: bool, text: str) -> None:
    terminal.print_json(answer) if as_json else click.echo(terminal.tick(f"style sheet {text}"))


def _path(id: str, rest: str = "") -> str:
    return f"/api/sessions/{quote(id, safe='')}/style-sheet{rest}"
