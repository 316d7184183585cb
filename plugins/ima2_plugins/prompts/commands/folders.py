"""``ima2 prompt folder``."""

from __future__ import annotations

import click

from ima2 import terminal
from ima2_plugins.prompts.commands.inputs import report, segment, yes_option

URL = "/api/prompts/folders"
folder = terminal.Group("folder", help="Folders of prompts (ls, create, rename, rm).")


@folder.command()
@terminal.client_options
def ls(server: str | None, as_json: bool) -> None:
    """List the folders."""
    answer = terminal.ask(server, "GET", URL)
    if as_json:
        terminal.print_json(answer)
    elif not answer["folders"]:
        click.echo("(no folders)")
    else:
        click.echo(terminal.table(("ID", "NAME"), [(one["id"], one["name"]) for one in answer["folders"]]))


@folder.command()
@click.argument("words", metavar="NAME...", nargs=-1, required=True)
@terminal.client_options
def create(server: str | None, as_json: bool, words: tuple[str, ...]) -> None:
    """Make a folder."""
    answer = terminal.ask(server, "POST", URL, body={"name": " ".join(words)})
    terminal.print_json(answer) if as_json else click.echo(answer["folder"]["id"])


@folder.command()
@click.argument("folder_id", metavar="ID")
@click.argument("words", metavar="NAME...", nargs=-1, required=True)
@terminal.client_options
def rename(server: str | None, as_json: bool, folder_id: str, words: tuple[str, ...]) -> None:
    """Give a folder another name."""
    answer = terminal.ask(server, "PATCH", f"{URL}/{segment(folder_id)}", body={"name": " ".join(words)})
    report(answer, as_json, lambda found: f"renamed to {found['folder']['name']}")


@folder.command()
@click.argument("folder_id", metavar="ID")
@click.option("--strategy", default="moveToRoot", show_default=True, help="moveToRoot, or deleteItems for the trash.")
@yes_option
@terminal.client_options
def rm(server: str | None, as_json: bool, folder_id: str, strategy: str, yes: bool) -> None:
    """Remove a folder; its prompts go to the root, or to the trash."""
    items = strategy.lower() in ("delete", "deleteitems")
    if not terminal.confirm(f"Remove the folder {folder_id}{' and its prompts' if items else ''}?", yes=yes):
        click.echo("canceled", err=as_json)
        return
    query = {"strategy": "deleteItems" if items else "moveToRoot"}
    answer = terminal.ask(server, "DELETE", f"{URL}/{segment(folder_id)}", query=query)
    report(answer, as_json, lambda _: f"removed {folder_id}")
