"""ima2 defaults: the model and the effort that are used where a request names none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ima2.cli import options, output
from ima2.cli.groups import Group
from ima2.cli.image_options import EFFORTS
from ima2.cli.server_discovery import ask_server, describe_source
from ima2.kernel.switches import suggestion
from ima2.settings import paths
from ima2.settings.config_file import ConfigFile

if TYPE_CHECKING:
    from ima2.settings.rows import SettingRow

DEFAULTS_S = 5.0
FIELDS = {"model": ("default_model", "default_image_model"), "reasoning": ("reasoning_effort",)}
"""What a default is called in the settings of a plugin that brings a provider."""

_HELP = "Show or set the default model and effort (ls, set, reset)."
defaults = Group("defaults", invoke_without_command=True, help=_HELP)


@defaults.command("ls")
@click.option("--local", is_flag=True, help="Of this installation, asking no server.")
@options.client_options
def ls(server: str | None, as_json: bool, local: bool) -> None:
    """Show what is used where a request says nothing, by provider."""
    _list(server, as_json, local)


@defaults.command("set")
@click.argument("name", type=click.Choice(list(FIELDS)))
@click.argument("value")
@options.as_json
def set_(name: str, value: str, as_json: bool) -> None:
    """Store a default model or effort, for every provider that has it."""
    _check_value(name, value)
    rows = [row for row, offered in _rows(name) if name != "model" or value in offered]
    file, keys = ConfigFile(paths.config_file()), [_key(row) for row in rows]
    for key in keys:
        file.set(key, value)
    _print_changed(as_json, {"name": name, "value": value, "keys": keys}, rows, f" = {value}")


@defaults.command()
@click.argument("name", type=click.Choice(list(FIELDS)))
@options.as_json
def reset(name: str, as_json: bool) -> None:
    """Remove a default that was stored, so that the providers' own hold."""
    file = ConfigFile(paths.config_file())
    rows = [row for row, _ in _rows(name) if file.remove(_key(row))]
    if not rows and not as_json:
        click.echo(f"(no default {name} is stored)")
        return
    _print_changed(as_json, {"name": name, "removed": [_key(row) for row in rows]}, rows, " removed")


@click.pass_context
def _bare(ctx: click.Context, /) -> None:
    if ctx.invoked_subcommand is None:
        _list(None, False, False)


defaults.callback = _bare


def _list(server: str | None, as_json: bool, local: bool) -> None:
    answer, base = (None, None) if local else options.run_async(ask_server(server, "/api/capabilities", DEFAULTS_S))
    if answer is None:
        from ima2.cli.local import local_capabilities

        answer = local_capabilities()
    found = answer.get("defaults")
    known = found if isinstance(found, dict) else {}
    if as_json:
        output.print_json({"ok": True, "source": "server" if base else "local", "server": base, "defaults": known})
        return
    rows = {name: ", ".join(f"{key} {value}" for key, value in one.items()) for name, one in known.items()}
    click.echo(output.pairs(rows) if rows else "(no provider says what it uses)")
    click.echo(output.style(describe_source(base), "dim"))


def _check_value(name: str, value: str) -> None:
    offered = list(EFFORTS) if name == "reasoning" else [model for _, models in _rows(name) for model in models]
    if value not in offered:
        names = list(dict.fromkeys(offered))
        raise click.UsageError(f"Nobody offers {value}.{suggestion(value, names)} Offered: {', '.join(names)}.")


def _rows(name: str) -> list[tuple[SettingRow, list[str]]]:
    """The settings that hold a default, once each, and the models for pictures that its provider offers."""
    from ima2.cli.inspection import inspect_here
    from ima2.settings.rows import plugin_rows

    booted = inspect_here()
    found: dict[str, tuple[SettingRow, list[str]]] = {}
    for (kind, provider), plugin in booted.registry.owners.items():
        settings = booted.contexts[plugin].settings
        if kind != "provider" or settings is None:
            continue
        able = booted.registry.providers[provider].capabilities
        models = [model.id for model in able.models if model.media == "image" and model.supported]
        for row in plugin_rows({plugin: type(settings)}):
            if row.name in FIELDS[name]:
                found.setdefault(_key(row), (row, models))
    return list(found.values())


def _key(row: SettingRow) -> str:
    return row.own_key or row.keys[0]


def _print_changed(as_json: bool, answer: dict[str, Any], rows: list[SettingRow], text: str) -> None:
    for variable in filter(None, (row.overridden_by(os.environ) for row in rows)):
        options.remark(f"{variable} is set and beats config.json.")
    if as_json:
        output.print_json({"ok": True, **answer})
        return
    for row in rows:
        click.echo(output.tick(f"{_key(row)}{text}"))
    click.echo(output.style("It counts from the next start of `ima2 serve`.", "dim"))
