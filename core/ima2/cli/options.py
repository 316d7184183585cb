"""What the client commands share: their common options, and running a coroutine to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click

from ima2.cli import output

T = TypeVar("T")
Command = Callable[..., Any]

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
server = click.option("--server", metavar="URL", help="Ask this server, and no other.")
quiet = click.option(
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, _param, value: ctx.find_root().meta.update({output.QUIET: True}) if value else None,
    help="Say nothing but the files that were written, and what goes wrong.",
)
CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


def client_options(command: Command) -> Command:
    """Add ``--json`` and ``--server``."""
    return as_json(server(command))


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; Ctrl-C ends it as click expects."""
    return asyncio.run(work)


def remark(text: str) -> None:
    """A line beside the output, on stderr, yellow on a terminal."""
    import sys

    click.echo(output.style(output.plain(text), "yellow", stream=sys.stderr), err=True)


def short(value: object, most: int) -> str:
    """White space folded; above ``most`` characters cut to ``most - 3`` and an ellipsis."""
    text = " ".join(str(value or "").split())
    return text if len(text) <= most else f"{text[: most - 3]}…"
