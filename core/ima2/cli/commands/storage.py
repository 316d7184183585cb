"""ima2 storage: where the gallery lies."""

from __future__ import annotations

import json
from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.groups import Group

storage = Group("storage", help="Show where the gallery lies (status).")


@storage.command()
@options.client_options
def status(server: str | None, as_json: bool) -> None:
    """Show the gallery's folder and whether old pictures wait elsewhere. Without a server, of this machine."""
    answer = options.run_async(_fetch(server))
    output.print_json(answer) if as_json else click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


async def _fetch(server: str | None) -> dict[str, Any]:
    from ima2.cli.server_discovery import connect, seek

    found = await seek(server)
    if found is None:
        from ima2.cli.local import local_storage_report

        options.remark("No server is running; these are this machine's folders.")
        return local_storage_report()
    async with connect(found.base) as client:
        return await client.ask("GET", "/api/storage/status")
