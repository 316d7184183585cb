"""Prompts one by one, and all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import ima2
from ima2 import terminal
from ima2_plugins.prompts.commands.inputs import given_text, report, segment, show_document, split, yes_option

URL = "/api/prompts"


@click.command(context_settings=terminal.CONTEXT)
@click.option("--folder", metavar="ID", help="Of this folder only; __trash__ for what was removed.")
@click.option("--search", "-q", "--query", metavar="TEXT", help="With this in name, text or tags.")
@click.option("--favorites", is_flag=True, help="Favourites only.")
@terminal.client_options
def ls(server: str | None, as_json: bool, folder: str | None, search: str | None, favorites: bool) -> None:
    """List prompts, the newest change first."""
    query = {"folderId": folder, "search": search, "favoritesOnly": 1 if favorites else None}
    answer = terminal.ask(server, "GET", URL, query=query)
    if as_json:
        terminal.print_json({"prompts": answer["prompts"]})
    elif not answer["prompts"]:
        click.echo("(no prompts)")
    else:
        names = {one["id"]: one["name"] for one in answer["folders"]}
        click.echo(
            terminal.table(("ID", "NAME", "FOLDER", "★", "TEXT"), [_cells(row, names) for row in answer["prompts"]])
        )


@click.command(context_settings=terminal.CONTEXT)
@click.argument("prompt_id", metavar="ID")
@terminal.client_options
def show(server: str | None, as_json: bool, prompt_id: str) -> None:
    """Print a prompt, always as JSON."""
    show_document(terminal.ask(server, "GET", f"{URL}/{segment(prompt_id)}"), compact=as_json)


def _fields(command: Any) -> Any:
    for option in (
        click.option("--text", metavar="TEXT", help="The text, @file, or - for standard input."),
        click.option("--name", metavar="TEXT", help="Its name; the text's beginning by default."),
        click.option("--folder", metavar="ID", help="Where it belongs."),
        click.option("--tag", "tag", multiple=True, metavar="TAG", help="A tag; may be repeated."),
        click.option("--tags", metavar="A,B", help="Tags with commas."),
        click.option("--mode", metavar="MODE", help="auto or direct."),
    ):
        command = option(command)
    return command


@click.command(context_settings=terminal.CONTEXT)
@_fields
@terminal.client_options
def create(server: str | None, as_json: bool, **given: Any) -> None:
    """Keep a new prompt."""
    if given["text"] is None:
        raise click.UsageError("--text is required.")
    answer = terminal.ask(server, "POST", URL, body=_body(given))
    terminal.print_json(answer) if as_json else click.echo(answer["prompt"]["id"])


@click.command(context_settings=terminal.CONTEXT)
@click.argument("prompt_id", metavar="ID")
@_fields
@terminal.client_options
def edit(server: str | None, as_json: bool, prompt_id: str, **given: Any) -> None:
    """Change a prompt."""
    body = _body(given)
    if not body:
        raise click.UsageError("Say what to change: --text, --name, --folder, --tag or --mode.")
    answer = terminal.ask(server, "PATCH", f"{URL}/{segment(prompt_id)}", body=body)
    report(answer, as_json, lambda _: f"changed {prompt_id}")


@click.command(context_settings=terminal.CONTEXT)
@click.argument("prompt_id", metavar="ID")
@yes_option
@terminal.client_options
def rm(server: str | None, as_json: bool, prompt_id: str, yes: bool) -> None:
    """Move a prompt to the trash."""
    if not terminal.confirm(f"Remove the prompt {prompt_id}?", yes=yes):
        click.echo("canceled", err=as_json)
        return
    report(terminal.ask(server, "DELETE", f"{URL}/{segment(prompt_id)}"), as_json, lambda _: f"removed {prompt_id}")


@click.command(context_settings=terminal.CONTEXT)
@click.argument("prompt_id", metavar="ID")
@terminal.client_options
def favorite(server: str | None, as_json: bool, prompt_id: str) -> None:
    """Mark a prompt as a favourite, or no longer."""
    answer = terminal.ask(server, "POST", f"{URL}/{segment(prompt_id)}/favorite")
    report(answer, as_json, lambda found: "★ favourite" if found["isFavorite"] else "no favourite any more")


@click.command(context_settings=terminal.CONTEXT)
@click.argument("ignored", metavar="", required=False)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write it to this file.")
@terminal.client_options
def export(server: str | None, as_json: bool, ignored: str | None, out: Path | None) -> None:
    """Print the whole library as JSON, or write it to a file."""
    if ignored is not None:
        raise click.UsageError("The whole library is exported; a single prompt is shown by `ima2 prompt show`.")
    answer = terminal.ask(server, "GET", f"{URL}/export")
    if out is None:
        show_document(answer, compact=as_json)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    ima2.write_whole(out, f"{json.dumps(answer, indent=2, ensure_ascii=False)}\n".encode())
    report({"path": str(out), "prompts": len(answer["prompts"])}, as_json, lambda found: str(found["path"]))


def _body(given: dict[str, Any]) -> dict[str, Any]:
    tags = split(given["tag"], given["tags"])
    text = None if given["text"] is None else given_text("--text", given["text"])
    named = {"text": text, "name": given["name"], "folderId": given["folder"], "mode": given["mode"]}
    return {name: value for name, value in {**named, "tags": tags or None}.items() if value is not None}


def _cells(row: dict[str, Any], folders: dict[str, str]) -> tuple[str, ...]:
    folder = folders.get(row["folderId"], "" if row["folderId"] == "__root__" else row["folderId"])
    return (row["id"], row["name"], folder, "★" if row["isFavorite"] else "", terminal.short(row["text"], 48))
