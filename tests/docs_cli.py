"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from ima2.cli import cli, output
from ima2.command_table import BUILTIN

MEANINGS = {
    0: "done",
    1: "it failed in a way that has no number of its own; a failed check of `doctor` or `plugins check`",
    2: "the command line was wrong; nothing was done",
    3: "no server answers",
    4: "sign in again",
    5: "the request was refused (HTTP 4xx)",
    6: "the server or an upstream failed (HTTP 5xx, no connection)",
    7: "refused by a provider's safety rules",
    8: "the time limit is over",
    130: "interrupted",
}


def exit_code_table() -> str:
    """Every exit code, what it means, and the codes of failures that have it by name."""
    named: dict[int, list[str]] = {}
    for code, number in output.EXIT_CODES.items():
        named.setdefault(number, []).append(f"`{code}`")
    rows = [f"| {number} | {text} | {', '.join(named.get(number, []))} |" for number, text in MEANINGS.items()]
    return "\n".join(["| Exit code | Meaning | Codes |", "|---|---|---|", *rows])


def command_reference() -> str:
    """One section a command, subcommands after their group."""
    ctx = click.Context(cli, info_name="ima2")
    parts: list[str] = []
    for name in BUILTIN:
        command = cli.get_command(ctx, name)
        assert command is not None, name
        parts += _sections(command, f"ima2 {name}")
    return "\n\n".join(parts)


def _sections(command: click.Command, path: str) -> Iterator[str]:
    own = getattr(command, "default", command) if isinstance(command, click.Group) else command
    yield "\n\n".join(filter(None, [_title(own, path), _text(command, own), _options(own), _examples(command)]))
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _sections(command.commands[name], f"{path} {name}")


def _title(command: click.Command, path: str) -> str:
    ctx = click.Context(command)
    arguments = [param.make_metavar(ctx) for param in command.params if isinstance(param, click.Argument)]
    return f"### `{' '.join([path, *arguments])}`"


def _text(command: click.Command, own: click.Command) -> str:
    paragraphs = inspect.cleandoc(own.help or command.help or own.short_help or "").split("\n\n")
    return "\n\n".join(" ".join(one.split()) for one in paragraphs)


def _options(command: click.Command) -> str:
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    rows = [f"| {_flags(one)} | {_default(one)} | {(one.help or '').replace('|', '&#124;')} |" for one in options]
    return "\n".join(["| Option | Default | Meaning |", "|---|---|---|", *rows]) if rows else ""


def _flags(option: click.Option) -> str:
    """The spellings and what follows them. What depends on the plugins that are installed is an ``ID``."""
    plain = type(option) is click.Option
    value = "" if option.is_flag else f" {option.make_metavar(click.Context(click.Command('x'))) if plain else 'ID'}"
    spellings = ", ".join([*option.opts, *option.secondary_opts])
    return "`" + f"{spellings}{value}".replace("|", "\\|") + "`"


def _default(option: click.Option) -> str:
    shown = option.show_default and option.default is not None and not option.is_flag
    return f"`{option.default}`" if shown else ""


def _examples(command: click.Command) -> str:
    lines = [line.strip() for line in (command.epilog or "").replace("\b", "").splitlines()]
    found = [line for line in lines if re.match(r"(echo .*\| )?ima2 ", line)]
    return "```\n" + "\n".join(found) + "\n```" if found else ""
