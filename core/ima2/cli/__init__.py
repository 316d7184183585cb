"""The command line. A command is imported when it is the one asked for, never to be listed."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ima2.cli import output
from ima2.command_table import BUILTIN, EXAMPLES, WORKFLOW
from ima2.errors import Ima2Error
from ima2.version import VERSION

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ima2.kernel.discovery import CommandEntry
    from ima2.kernel.switches import Switches


class FittingFormatter(click.HelpFormatter):
    """Help that fits the terminal, examples included."""

    def getvalue(self) -> str:
        """The text, with lines that are too wide broken at blanks."""
        return output.fold(super().getvalue(), self.width)


class LazyGroup(click.Group):
    """ima2's own commands by a table, plugins' commands by their entry points."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, importing nothing."""
        return [*BUILTIN, *sorted(plugin_commands())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The one command asked for, imported now. A plugin's broken command is `Ima2Error` ``PLUGIN_FAILED``."""
        if cmd_name in BUILTIN:
            module, _, attribute = BUILTIN[cmd_name].target.partition(":")
            command: click.Command = getattr(import_module(module), attribute)
            return command
        entry = plugin_commands().get(cmd_name)
        return None if entry is None else _imported(entry)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown command is told on stdout with exit code 1."""
        name = args[0]
        known = name.startswith("-") or self.get_command(ctx, name) is not None
        if not known and not ctx.resilient_parsing:
            self._unknown(ctx, name, args[1:])
        return super().resolve_command(ctx, args)

    def _unknown(self, ctx: click.Context, name: str, rest: Sequence[str]) -> NoReturn:
        if {"--help", "-h"} & set(rest):
            click.echo(ctx.get_help())
            ctx.exit(0)
        from ima2.kernel.discovery import commands
        from ima2.kernel.switches import suggestion, switched_off

        entry = commands().get(name)
        if entry is not None:
            click.echo(f"The command {name} of {entry.package} is {switched_off(entry.plugin)}.")
            ctx.exit(2)
        click.echo(f"Unknown command: {output.plain(name)}.{suggestion(name, self.list_commands(ctx))}")
        click.echo("Run `ima2 --help` for all commands.")
        ctx.exit(1)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The main help, from the table alone."""
        formatter.write("Usage: ima2 [--plugins NAMES] <command> [options]\n\n")
        formatter.write(f"{WORKFLOW}\n")
        for section in dict.fromkeys(command.section for command in BUILTIN.values()):
            rows = {command.usage: command.help for command in BUILTIN.values() if command.section == section}
            _write_section(formatter, f"{section} commands", rows)
        brought = {f"{name} <sub>": f"From {entry.package}" for name, entry in sorted(plugin_commands().items())}
        if brought:
            _write_section(formatter, "Plugin commands", brought)
        options = {
            "-h, --help": "Show help; every command has its own",
            "-v, --version": "Print the version",
            "--plugins NAMES": "Use only these plugins (comma-separated; empty for none)",
        }
        _write_section(formatter, "Options", options)
        formatter.write(f"\n{EXAMPLES}\n")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names and help from the table, importing no command."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        known = {name: BUILTIN[name].help if name in BUILTIN else None for name in self.list_commands(ctx)}
        return [CompletionItem(name, help=text) for name, text in known.items() if name.startswith(incomplete)]


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_help_option=True,
)
@click.version_option(VERSION, "-v", "--version", message="%(version)s")
@click.option("--plugins", "only", metavar="NAMES", help="Use only these plugins.")
@click.pass_context
def cli(ctx: click.Context, only: str | None) -> None:
    """A local studio for AI images and video."""
    ctx.obj = only
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        ctx.exit(1)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit. Every failure is one line on stderr and an exit code."""
    given = list(sys.argv[1:] if args is None else args)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    code = run(given)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _swallow_stdout()
    sys.exit(code)


def run(args: Sequence[str]) -> int:
    """Run one command line in this process. Returns the exit code."""
    click.Context.formatter_class = FittingFormatter
    before_dashes = args[: args.index("--")] if "--" in args else args
    as_document = "--json" in before_dashes
    try:
        wide = output.columns()
        answer = cli.main(list(args), prog_name="ima2", standalone_mode=False, terminal_width=wide)
    except (click.Abort, KeyboardInterrupt):
        return output.exit_code(output.INTERRUPTED)
    except click.UsageError as error:
        if error.ctx is not None and not as_document:
            click.echo(error.ctx.get_usage(), err=True)
        failure = Ima2Error(output.USAGE, 400, error.format_message())
        return output.report(failure, as_document=as_document)
    except click.ClickException as error:
        return output.report(Ima2Error(output.USAGE, 400, error.format_message()), as_document=as_document)
    except Ima2Error as error:
        return output.report(error, as_document=as_document)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except OSError as error:
        if error.errno == errno.EPIPE:
            _swallow_stdout()
            return 1
        text = f"{error.strerror or 'Input/output error'}{f': {error.filename}' if error.filename else ''}"
        return output.report(Ima2Error("IO_ERROR", 0, text), as_document=as_document)
    except Exception as error:  # a bug, most likely of a plugin's command: its message may quote a prompt
        return output.report(_crash(error), as_document=as_document)
    return answer if isinstance(answer, int) and not isinstance(answer, bool) else 0


def only_plugins(own: str | None = None) -> str | None:
    """The names given with a command's own ``--plugins``, else with the main one; ``None`` when neither was given."""
    ctx = click.get_current_context(silent=True)
    main_option: str | None = None if ctx is None else ctx.find_root().obj
    return main_option if own is None else own


def current_switches(only: str | None = None) -> Switches:
    """Which plugins are on for this command line: ``only``, the main ``--plugins`` option, environment, config.json."""
    from ima2.kernel.switches import Switches
    from ima2.settings import paths
    from ima2.settings.config_file import ConfigFile

    return Switches.from_sources(only_plugins(only), os.environ, ConfigFile(paths.config_file()).read())


def plugin_commands() -> dict[str, CommandEntry]:
    """The commands of plugins that are on. ima2's own names cannot be taken."""
    from ima2.kernel.discovery import commands

    found = {name: entry for name, entry in commands().items() if name not in BUILTIN}
    if not found:
        return {}
    try:
        on = current_switches()
    except Ima2Error:  # a broken config.json must not hide the help
        return found
    return {name: entry for name, entry in found.items() if on.is_on(entry.plugin)}


def _imported(entry: CommandEntry) -> click.Command:
    from ima2.kernel.discovery import explain

    if entry.rivals:
        packages = " and ".join((entry.package, *entry.rivals))
        raise Ima2Error("PLUGIN_FAILED", 500, f"Command {entry.name} is claimed by {packages}: uninstall one of them.")
    try:
        command: Any = entry.entry.load()
    except (Exception, SystemExit) as error:
        raise Ima2Error("PLUGIN_FAILED", 500, f"Command {entry.name} of {entry.package}: {explain(error)}") from error
    if not isinstance(command, click.Command):
        raise Ima2Error("PLUGIN_FAILED", 500, f"Command {entry.name} of {entry.package} is not a click command.")
    return command


def _crash(error: Exception) -> Ima2Error:
    from ima2.kernel.guard import origin

    text = f"The command failed unexpectedly: {type(error).__name__} at {origin(error)}. Please report it to its maker."
    return Ima2Error("COMMAND_CRASHED", 0, text)


def _write_section(formatter: click.HelpFormatter, title: str, rows: dict[str, str]) -> None:
    widest = max(output.width(usage) for usage in rows)
    formatter.write(f"\n{title}:\n")
    for usage, text in rows.items():
        formatter.write(f"  {usage.ljust(widest)}  {text}\n")


def _swallow_stdout() -> None:
    """Let the interpreter's own last flush of a closed pipe pass silently."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
