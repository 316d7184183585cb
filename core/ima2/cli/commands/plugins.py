"""ima2 plugins: what is installed, whether it works, and the off switch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ima2.cli import current_switches, output
from ima2.cli.groups import Group
from ima2.kernel import compat, report, switches
from ima2.kernel.discovery import PluginRecord, State, discover
from ima2.settings import paths
from ima2.settings.config_file import ConfigFile

if TYPE_CHECKING:
    from ima2.kernel.boot import Booted

_LOOKS = {"ready": "green", "failed": "red", "off": "dim", "found": "bold"}
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


plugins = Group("plugins", help="List, check, enable and disable plugins.")


@plugins.command("list")
@click.option("--check", is_flag=True, help="Import every plugin that is on, and say what it offers.")
@_as_json
def list_(check: bool, as_json: bool) -> None:
    """List what is installed. Without --check nothing of a plugin is imported."""
    _show(_checked() if check else _listed(), as_json)


@plugins.command()
@_as_json
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Import every plugin that is on; exit code 1 when one failed."""
    rows = _checked()
    _show(rows, as_json)
    ctx.exit(1 if any(row["state"] == State.FAILED for row in rows) else 0)


@plugins.command()
@click.argument("name")
@_as_json
def show(name: str, as_json: bool) -> None:
    """Show one plugin: what it offers, its hooks, its settings and where they come from."""
    records = discover()
    record = _known(name, records)
    settings: list[dict[str, Any]] = []
    if current_switches().is_on(name) and record.state is not State.FAILED:
        from ima2.cli import inspection
        from ima2.settings import rows as setting_rows

        booted = inspection.inspect_plugins(switches.Switches(only=frozenset({name})), [record])
        row = report.rows(booted.records, booted.registry)[0]
        model = inspection.models(switches.Switches(only=frozenset({name}))).get(name)
        settings = setting_rows.of_plugin(name, model) if model is not None else []
    else:
        row = report.rows(_mark_off([record]))[0]
    if as_json:
        output.print_json({**row, "settings": settings})
        return
    click.echo(output.pairs({key: _as_text(value) for key, value in row.items()}))
    if settings:
        click.echo()
        header = ("Setting", "Value", "Environment", "config.json")
        cells = [
            (s["name"], output.as_json(s.get("value")), ", ".join(s["env"]), ", ".join(s["keys"])) for s in settings
        ]
        click.echo(output.table(header, cells))


@plugins.command()
@click.argument("name")
@_as_json
def enable(name: str, as_json: bool) -> None:
    """Switch a plugin on, from the next start."""
    file = ConfigFile(paths.config_file())
    if name not in file.get("plugins.disabled", []):
        _known(name, discover())
    _print_switched(name, "on", switches.enable(file, name), as_json)


@plugins.command()
@click.argument("name")
@_as_json
def disable(name: str, as_json: bool) -> None:
    """Switch a plugin off, from the next start. The plugin itself is not asked."""
    _known(name, discover())
    file = ConfigFile(paths.config_file())
    if name in (file.get("plugins.required") or []):
        raise click.UsageError(f"{name} is on the list plugins.required of config.json: take it out there first.")
    _print_switched(name, "off", switches.disable(file, name), as_json)


def _print_switched(name: str, state: str, changed: bool, as_json: bool) -> None:
    if "IMA2_PLUGINS" in os.environ:
        click.echo(output.style("IMA2_PLUGINS is set and decides instead of config.json.", "yellow"), err=True)
    if as_json:
        output.print_json({"ok": True, "name": name, "state": state, "changed": changed})
        return
    click.echo(output.tick(f"{name} is {state}{' from the next start' if changed else ' already'}."))


def _known(name: str, records: Sequence[PluginRecord]) -> PluginRecord:
    names = [record.name for record in records]
    if name not in names:
        raise click.UsageError(f"No plugin {name} is installed.{switches.suggestion(name, names)}")
    return records[names.index(name)]


def _mark_off(records: list[PluginRecord]) -> list[PluginRecord]:
    on = current_switches()
    for record in records:
        if not on.is_on(record.name):
            record.state = State.OFF
    return records


def _listed() -> list[dict[str, Any]]:
    records = _mark_off(discover())
    found = [record for record in records if record.state is State.FOUND and compat.check(record)]
    last = report.recall(paths.config_dir(), found)
    rows = report.rows(records)
    return [{**row, "lastError": last[row["name"]]} if row["name"] in last else row for row in rows]


def _checked() -> list[dict[str, Any]]:
    from ima2.cli import inspection

    booted = inspection.inspect_plugins(current_switches(), discover())
    _check_offers(booted)
    report.remember(paths.config_dir(), booted.records)
    return report.rows(booted.records, booted.registry)


def _check_offers(booted: Booted) -> None:
    """Ask for what is needed after boot too, so that every failure of a start is found here."""
    from ima2.cli.commands.serve import check_mounts
    from ima2.kernel import collect

    collect.tables(booted)
    collect.facets(booted)
    collect.tools(booted)
    check_mounts(booted)


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        output.print_json({"plugins": rows})
    elif not rows:
        click.echo("(no plugins installed)")
    else:
        cells = [
            (
                row["name"],
                row["state"],
                row.get("package", ""),
                row.get("version", ""),
                str(row.get("writtenFor") or row.get("apiVersion") or "?"),
                ", ".join(row.get("offers", [])),
            )
            for row in rows
        ]
        notes = [_note(row) for row in rows]
        header = ("Plugin", "State", "Package", "Version", "API", "Offers", "Note")
        lines = output.table(header, [(*cell, note) for cell, note in zip(cells, notes, strict=True)]).split("\n")
        for row, number in zip(rows, range(2, len(lines)), strict=True):
            state = row["state"]
            lines[number] = lines[number].replace(f" {state} ", f" {output.style(state, _LOOKS[state])} ", 1)
        click.echo("\n".join(lines))


def _note(row: dict[str, Any]) -> str:
    if row["state"] == State.FAILED:
        return f"{row['stage']}: {row['error']}"
    last = f"last start: {row['lastError']}" if "lastError" in row else ""
    if row["state"] == State.OFF and "turnedOnBy" in row:
        last = f"starts off; turned on by {' or '.join(row['turnedOnBy'])}"
    return "; ".join(text for text in (last, row.get("problem", ""), *row.get("warnings", [])) if text)


def _as_text(value: Any) -> str:
    return ", ".join(str(entry) for entry in value) if isinstance(value, list) else str(value)
