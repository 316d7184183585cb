"""ima2 cancel: stop a job."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from ima2.cli import options, output
from ima2.cli.server_discovery import open_client
from ima2.errors import Ima2Error

CANCEL_S = 30.0


@click.command(context_settings=options.CONTEXT)
@click.argument("job", metavar="requestId")
@options.client_options
def cancel(server: str | None, as_json: bool, job: str) -> None:
    """Stop the job requestId and the upstream call it waits for."""
    cancel_job(server, as_json, job)


def cancel_job(server: str | None, as_json: bool, job: str) -> None:
    """Have the server stop a job, and say what came of it."""
    try:
        answer = options.run_async(_delete_job(server, job))
    except Ima2Error as error:
        error.details["requestId"] = job
        raise
    if answer.get("active") is False and answer.get("aborted") is False:
        options.remark(f"{job} was not running: there was nothing to stop.")
    if as_json:
        output.print_json({"ok": True, "requestId": job})
    else:
        click.echo(output.tick(f"canceled {output.plain(job)}"))


async def _delete_job(server: str | None, job: str) -> dict[str, Any]:
    async with open_client(server) as client:
        return await client.ask("DELETE", f"/api/inflight/{quote(job, safe='')}", limit=CANCEL_S)
