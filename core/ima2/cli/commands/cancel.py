"""ima2 cancel: stop a job."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import quote

import click

from ima2.cli import options, output
from ima2.cli.recovery import find_request_id
from ima2.cli.server_discovery import open_client
from ima2.errors import Ima2Error

CANCEL_S = 30.0


@click.command(context_settings=options.CONTEXT)
@click.argument("jobs", metavar="requestId...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every job in line and at work.")
@options.client_options
def cancel(server: str | None, as_json: bool, jobs: tuple[str, ...], everything: bool) -> None:
    """Stop jobs and the upstream calls they wait for. The beginning of an id will do.

    With one requestId nothing to stop is no failure; with several, or --all, there is a row for each, and exit code 5
    where one was not running.
    """
    if bool(jobs) == everything:
        raise click.UsageError("Name a requestId, several, or --all.")
    if len(jobs) == 1:
        cancel_job(server, as_json, jobs[0])
        return
    rows = options.run_async(_cancel_many(server, jobs))
    if as_json:
        output.print_json({"ok": all(row["canceled"] for row in rows), "jobs": rows})
    elif not rows:
        click.echo("(no jobs)")
    for row in [] if as_json else rows:
        text = output.plain(row["requestId"])
        click.echo(output.tick(f"canceled {text}") if row["canceled"] else output.cross(f"{text} was not running"))
    click.get_current_context().exit(0 if all(row["canceled"] for row in rows) else 5)


async def _cancel_many(server: str | None, jobs: tuple[str, ...]) -> list[dict[str, Any]]:
    async with open_client(server) as client:
        ids = list(jobs) or [str(row["requestId"]) for row in (await client.jobs()).get("jobs", [])]
        rows = []
        for job in ids:
            found = await find_request_id(client, job)
            rows.append({"requestId": found, "canceled": await client.cancel(found)})
        return rows


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
    """Stop the job of that id, else the one whose id begins so."""
    async with open_client(server) as client:
        answer = await client.ask("DELETE", f"/api/inflight/{quote(job, safe='')}", limit=CANCEL_S)
        if answer.get("active") is False and answer.get("aborted") is False:
            with suppress(Ima2Error):
                found = await find_request_id(client, job)
                if found != job and await client.cancel(found):
                    return {"active": True}
        return answer
