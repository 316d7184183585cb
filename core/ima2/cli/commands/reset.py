"""ima2 reset: config.json emptied."""

from __future__ import annotations

from typing import Any

import click

from ima2.cli import options, output
from ima2.settings import paths
from ima2.settings.config_file import ConfigFile


@click.command(context_settings=options.CONTEXT)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.as_json
def reset(yes: bool, as_json: bool) -> None:
    """Empty config.json, keys and sign-in choices included. Gallery, database and sign-in files stay."""
    path = paths.config_file()
    if not path.exists():
        _say(as_json, False, f"({path} does not exist: there is nothing to reset)")
        return
    if not output.confirm(f"Empty {path}?", yes=yes):
        click.echo("(canceled)", err=as_json)
        return
    ConfigFile(path).change(_empty)
    _say(as_json, True, output.tick(f"{path} is empty; it counts from the next start of `ima2 serve`"))


def _empty(document: dict[str, Any]) -> None:
    document.clear()


def _say(as_json: bool, changed: bool, text: str) -> None:
    output.print_json({"ok": True, "reset": changed}) if as_json else click.echo(text)
