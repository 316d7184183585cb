"""ima2 config: read and write config.json, without showing a secret or storing what would not be understood."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ima2.cli import current_switches, output
from ima2.cli.groups import Group
from ima2.kernel.switches import suggestion
from ima2.settings import paths
from ima2.settings.config_file import REDACTED, ConfigFile, find, is_secret, put, redacted

if TYPE_CHECKING:
    from ima2.settings.rows import SettingRow

_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_MISSING = object()
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


config = Group("config", help="Read and write config.json.")


@config.command()
@_as_json
def path(as_json: bool) -> None:
    """Print where config.json is."""
    where = str(paths.config_file())
    output.print_json({"path": where}) if as_json else click.echo(where)


@config.command("ls")
@click.option("--effective", is_flag=True, help="Show what is in force: environment, file and defaults together.")
@_as_json
def ls(effective: bool, as_json: bool) -> None:
    """Print config.json, secrets hidden."""
    document = ConfigFile(paths.config_file()).read()
    _print(redacted(_effective(document) if effective else document), as_json)


@config.command()
@click.argument("key")
@click.option("--effective", is_flag=True, help="The default: what is in force.")
@_as_json
def get(key: str, effective: bool, as_json: bool) -> None:
    """Print the value in force of KEY, or of all keys below it."""
    value = _value(key, ConfigFile(paths.config_file()).read())
    if as_json:
        output.print_json({"key": key} if value is _MISSING else {"key": key, "value": value})
    elif value is _MISSING:
        click.echo("(not set)")
    else:
        click.echo(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))


@config.command("set")
@click.argument("key")
@click.argument("value", required=False)
@_as_json
@_yes
def set_(key: str, value: str | None, as_json: bool, yes: bool) -> None:
    """Store VALUE (JSON, else text) under KEY. A secret is asked for, or read from stdin with VALUE "-"."""
    row = _writable(key)
    stored = _secret(key, value) if row.secret else _parsed(row, key, value)
    ConfigFile(paths.config_file()).set(key, stored)
    shown = REDACTED if row.secret or is_secret(key) else redacted(stored)
    _print_changed(key, row, {"key": key, "value": shown}, f"{key} = {output.as_json(shown)}", as_json)


@config.command()
@click.argument("key")
@_as_json
@_yes
def rm(key: str, as_json: bool, yes: bool) -> None:
    """Remove KEY from config.json, so that its default holds again."""
    file = ConfigFile(paths.config_file())
    stored = file.get(key, _MISSING)
    row = _row(key)
    from ima2.settings.rows import SIGN_IN_KEYS, may_write

    hidden = key in SIGN_IN_KEYS or is_secret(key) or redacted(stored) != stored
    if hidden and not (may_write(key, row) if row is not None else key.startswith("plugins.")):
        raise click.UsageError(_sign_in(key))
    if stored is _MISSING:
        output.print_json({"ok": True, "key": key, "removed": False}) if as_json else click.echo(f"({key} is not set)")
        return
    if not output.confirm(f"Remove {key} from config.json?", yes=yes):
        click.echo("(canceled)", err=as_json)
        return
    file.remove(key)
    _print_changed(key, row, {"key": key, "removed": True}, f"{key} removed", as_json)


@config.command()
@_as_json
def keys(as_json: bool) -> None:
    """List the keys that can be written, each with the variable that beats it."""
    from ima2.settings.rows import writable_rows

    listed = [{"key": key, "env": row.variable(key)} for key, row in writable_rows(_rows()).items()]
    if as_json:
        output.print_json({"keys": listed})
    else:
        click.echo(output.table(("Key", "Variable"), [(entry["key"] or "", entry["env"] or "") for entry in listed]))


def _print(document: Mapping[str, Any], as_json: bool) -> None:
    click.echo(output.as_json(document) if as_json else json.dumps(document, indent=2, ensure_ascii=False))


def _rows() -> list[SettingRow]:
    """Every setting that anyone knows. Imports the plugins that are on."""
    from ima2.cli import inspection
    from ima2.settings.rows import kernel_rows, plugin_rows

    return [*kernel_rows(), *plugin_rows(inspection.models(current_switches()))]


def _row(key: str) -> SettingRow | None:
    """Who owns a key. Plugins are imported only where the kernel does not."""
    from ima2.settings.rows import by_key, kernel_rows

    return by_key(kernel_rows()).get(key) or by_key(_rows()).get(key)


def _effective(document: dict[str, Any]) -> dict[str, Any]:
    from ima2.settings.rows import in_force

    merged: dict[str, Any] = json.loads(json.dumps(document))
    for row, value in in_force(_rows(), document):
        put(merged, row.own_key or row.keys[0], value)
    return merged


def _value(key: str, document: dict[str, Any]) -> Any:
    from ima2.settings.rows import SIGN_IN_KEYS, in_force

    row = _row(key)
    if row is not None:
        value = dict(in_force([row], document)).get(row, _MISSING)
    else:
        value = find(_effective(document), key, _MISSING)
    if value is _MISSING:
        return value
    return REDACTED if key in SIGN_IN_KEYS or is_secret(key) else redacted(value)


def _writable(key: str) -> SettingRow:
    from ima2.settings.rows import SIGN_IN_KEYS, by_key, may_write

    row = None if key in SIGN_IN_KEYS else _row(key)
    if key in SIGN_IN_KEYS or not (may_write(key, row) if row is not None else not is_secret(key)):
        raise click.UsageError(_sign_in(key))
    if row is None:
        known = [known for known, owner in by_key(_rows()).items() if may_write(known, owner)]
        advice = suggestion(key, known) or " `ima2 config keys` lists what can be written."
        raise click.UsageError(f"Nothing that is switched on knows the key {key}.{advice}")
    return row


def _sign_in(key: str) -> str:
    return f"{key} belongs to signing in (setup, login): start `ima2 serve` and open its Settings page."


def _secret(key: str, value: str | None) -> str:
    if value == "-":
        value = sys.stdin.readline().rstrip("\n")
    elif value is not None:
        raise click.UsageError(
            f"{key} is a secret, which does not belong on a command line: leave it out, or give - for stdin."
        )
    elif sys.stdin.isatty():
        value = str(click.prompt(key, hide_input=True, err=True))
    if not value:
        raise click.UsageError(f"No value for {key} was given.")
    return value


def _parsed(row: SettingRow, key: str, text: str | None) -> Any:
    """The value to store: JSON if it fits the field, else the text if that does."""
    from ima2.settings.sources import checked

    if text is None or not text.strip():
        raise click.UsageError(f"No value for {key} was given; `ima2 config rm {key}` brings its default back.")
    if row.info.annotation is bool:
        if text.strip().lower() not in _WORDS:
            raise click.UsageError(f"{key} is true or false.")
        return _WORDS[text.strip().lower()]
    problem = ""
    for candidate in _candidates(text):
        try:
            return checked(row.info, candidate)
        except ValueError as error:
            problem = problem or str(error)
    raise click.UsageError(f"{key}: {problem.removeprefix('Value error, ')}.")


def _candidates(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return [text]
    return [text] if value is None else [value, text]


def _print_changed(key: str, row: SettingRow | None, answer: dict[str, Any], text: str, as_json: bool) -> None:
    variable = row.overridden_by(os.environ) if row is not None else None
    if variable is not None:
        click.echo(output.style(f"{variable} is set and beats config.json.", "yellow", stream=sys.stderr), err=True)
    if as_json:
        output.print_json({"ok": True, **answer, **({"overriddenBy": variable} if variable else {})})
        return
    click.echo(output.tick(text))
    click.echo(output.style("It counts from the next start of `ima2 serve`.", "dim"))
