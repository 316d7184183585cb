"""What commands of plugins need of the terminal: groups, options, tables, questions, and the server to ask.

```python
from ima2 import terminal


@click.command()
@terminal.client_options
def notes(server: str | None, as_json: bool) -> None:
    answer = terminal.ask(server, "GET", "/api/notes")
    terminal.print_json(answer) if as_json else click.echo(terminal.table(("NOTE",), answer["notes"]))
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ima2.cli.groups import Group
from ima2.cli.names import browser_id
from ima2.cli.options import CONTEXT, client_options, remark, run_async, short
from ima2.cli.output import confirm, pairs, plain, print_json, table, tick
from ima2.cli.text_input import read_text

__all__ = [
    "CONTEXT",
    "Group",
    "ask",
    "browser_id",
    "client_options",
    "confirm",
    "pairs",
    "plain",
    "print_json",
    "read_bytes",
    "read_text",
    "remark",
    "run_async",
    "short",
    "table",
    "tick",
]


def ask(server: str | None, method: str, path: str, **more: Any) -> dict[str, Any]:
    """Ask the server at ``server``, else the one that runs here, else this process, once. ``more`` and what is raised
    are those of `ima2.Client.ask`."""

    async def asked() -> dict[str, Any]:
        from ima2.cli.server_discovery import open_worker

        async with open_worker(server) as client:
            return await client.ask(method, path, **more)

    return run_async(asked())


def read_bytes(path: Path) -> bytes:
    """A file that a command is given; `click.UsageError` (exit 2) for one that cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror or 'input/output error'}.") from None
