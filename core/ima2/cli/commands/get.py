"""ima2 get and wait: what a job made, also one that nobody waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.client_settings import client_settings
from ima2.cli.destination import Destination, MediaFile
from ima2.cli.generation import job_phase
from ima2.cli.job_request import JobRequest
from ima2.cli.progress import live
from ima2.cli.promises import recall_promise
from ima2.cli.recovery import find_request_id, recover
from ima2.cli.server_discovery import open_client
from ima2.client import TIMED_OUT, Client
from ima2.errors import Ima2Error

RUNNING = "JOB_RUNNING"
_MOST = 8


def _target(command: options.Command) -> options.Command:
    """The options that say where the files go."""
    command = options.client_options(command)
    command = click.option("--force", is_flag=True, help="Replace the file of -o.")(command)
    command = click.option("-d", "--out-dir", type=click.Path(path_type=Path), help="Write into this folder.")(command)
    return click.option("-o", "--out", type=click.Path(path_type=Path), help="Write the first file here.")(command)


@click.command(context_settings=options.CONTEXT)
@click.argument("job", metavar="requestId")
@_target
def get(server: str | None, as_json: bool, job: str, **given: Any) -> None:
    """Fetch what the job requestId made (the beginning of an id will do).

    The files go to -o or -d, else where the command that began the job was told to put them, else they stay in the
    gallery, and are named. A job that still runs is exit code 5.
    """
    _fetch_all(server, as_json, (job,), given, patient=False)


@click.command(context_settings=options.CONTEXT)
@click.argument("jobs", metavar="requestId...", nargs=-1, required=True)
@click.option("--timeout", type=click.IntRange(min=1), metavar="SEC", help="Longest wait [default: until they end]")
@_target
def wait(server: str | None, as_json: bool, jobs: tuple[str, ...], **given: Any) -> None:
    """Wait until the jobs end, and fetch what they made as `ima2 get` does. Ctrl-C leaves them running."""
    if given["out"] and len(jobs) > 1:
        raise click.UsageError("-o takes one job: use -d for several.")
    _fetch_all(server, as_json, jobs, given, patient=True)


def _fetch_all(
    server: str | None, as_json: bool, jobs: tuple[str, ...], given: dict[str, Any], *, patient: bool
) -> None:
    """Fetch job after job. One that failed does not keep the others; the last failure is raised at the end."""
    gallery = client_settings().generated
    given_target = Destination(gallery, given["out"], given["out_dir"], named=True, force=given["force"])
    given_target.prepare()
    failure, rows = None, []
    for job in jobs:
        try:
            row = options.run_async(_fetch(server, job, given_target, given.get("timeout"), patient, as_json))
        except Ima2Error as error:
            if len(jobs) == 1:
                raise
            failure, row = error, {"requestId": job, **output.envelope(error)}
            options.remark(f"{job}: {error.text}")
        rows.append(row)
        if not as_json:
            for path in row.get("paths", []):
                click.echo(output.tick(path))
    if as_json:
        output.print_json(rows[0] if len(jobs) == 1 else {"ok": failure is None, "jobs": rows})
    if failure is not None:
        click.get_current_context().exit(output.exit_code(failure.code, failure.status))


async def _fetch(
    server: str | None, job: str, target: Destination, timeout: int | None, patient: bool, quiet: bool
) -> dict[str, Any]:
    async with open_client(server) as client:
        request_id = await find_request_id(client, job)
        if not target.file and not target.folder:
            target = recall_promise(request_id, target.gallery) or target
        request = JobRequest({"requestId": request_id, "n": _MOST}, target, timeout, quiet)
        rows = request.deliver(await _collect(client, request, patient))
        return {"ok": True, "requestId": request_id, "paths": [row["path"] for row in rows]}


async def _collect(client: Client, request: JobRequest, patient: bool) -> list[MediaFile]:
    """The files of a job, once it ended. Ctrl-C ends the waiting and leaves the job alone."""
    known = {"requestId": request.request_id}
    if not patient and await job_phase(client, request.request_id) is not None:
        raise Ima2Error(RUNNING, 409, "The job still runs: `ima2 wait` waits for it.", details=known)
    unknown = Ima2Error("JOB_NOT_FOUND", 404, "No such job.", details=known)
    try:
        async with live(lambda: job_phase(client, request.request_id), quiet=request.quiet):
            async with asyncio.timeout(request.timeout):
                return await recover(client, request, unknown, None, announce=False)
    except TimeoutError:
        text = f"The job did not end within {request.timeout} s; it goes on."
        raise Ima2Error(TIMED_OUT, 0, text, details=known) from None
