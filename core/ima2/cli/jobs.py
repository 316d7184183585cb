"""ima2 ps, cancel and inflight: the jobs of a running server."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import click

from ima2.cli import options, output
from ima2.cli.discovery import connected
from ima2.cli.groups import Group
from ima2.errors import Ima2Error

CANCEL_S = 30.0
_KINDS = "classic|node|multimode|video"


def _listing(command: options.Command) -> options.Command:
    """The options of ``ps`` and ``inflight ls``."""
    command = options.client_options(command)
    command = click.option("--terminal", is_flag=True, help="Also those that ended within five minutes.")(command)
    command = click.option("--session", metavar="ID", help="Of this session only.")(command)
    return click.option("--kind", metavar=_KINDS, help="Of this kind only.")(command)


@click.command(context_settings=options.CONTEXT)
@_listing
def ps(server: str | None, as_json: bool, kind: str | None, session: str | None, terminal: bool) -> None:
    """List the jobs that are running, with the ids that `ima2 cancel` takes."""
    _list(server, as_json, kind, session, terminal)


@click.command(context_settings=options.CONTEXT)
@click.argument("job", metavar="requestId")
@options.client_options
def cancel(server: str | None, as_json: bool, job: str) -> None:
    """Stop the job requestId and the upstream call it waits for."""
    _cancel(server, as_json, job)


inflight = Group(
    "inflight", invoke_without_command=True, help=f"List or stop jobs ({_KINDS}); alone it lists what runs."
)


@inflight.command("ls")
@_listing
def inflight_ls(server: str | None, as_json: bool, kind: str | None, session: str | None, terminal: bool) -> None:
    """List the jobs that are running."""
    _list(server, as_json, kind, session, terminal)


@inflight.command("rm")
@click.argument("job", metavar="requestId")
@options.client_options
def inflight_rm(server: str | None, as_json: bool, job: str) -> None:
    """Stop the job requestId."""
    _cancel(server, as_json, job)


@click.pass_context
def _bare(ctx: click.Context, /) -> None:
    if ctx.invoked_subcommand is None:
        _list(None, False, None, None, False)


inflight.callback = _bare


def _list(server: str | None, as_json: bool, kind: str | None, session: str | None, terminal: bool) -> None:
    query = {"kind": kind, "sessionId": session, "includeTerminal": 1 if terminal else None}
    answer = options.finished(_asked(server, query))
    running, ended = _rows(answer.get("jobs")), _rows(answer.get("terminalJobs"))
    if as_json:
        output.say_json({"jobs": running, **({"terminalJobs": ended} if terminal else {})})
        return
    now = time.time() * 1000
    cells = (_cells(job, "phase", "startedAt", now) for job in running)
    _table("Running jobs", ("ID", "KIND", "PHASE", "AGE", "PROMPT"), cells)
    if terminal:
        click.echo()
        cells = (_cells(job, "status", "finishedAt", now) for job in ended)
        _table("Ended jobs", ("ID", "KIND", "STATUS", "AGE", "PROMPT"), cells)


async def _asked(server: str | None, query: dict[str, str | int | None]) -> dict[str, Any]:
    async with connected(server) as client:
        return await client.ask("GET", "/api/inflight", query=query)


def _cancel(server: str | None, as_json: bool, job: str) -> None:
    try:
        answer = options.finished(_cancelled(server, job))
    except Ima2Error as error:
        error.details["requestId"] = job
        raise
    if answer.get("active") is False and answer.get("aborted") is False:
        options.remark(f"{job} was not running: there was nothing to stop.")
    if as_json:
        output.say_json({"ok": True, "requestId": job})
    else:
        click.echo(output.tick(f"canceled {output.plain(job)}"))


async def _cancelled(server: str | None, job: str) -> dict[str, Any]:
    async with connected(server) as client:
        return await client.ask("DELETE", f"/api/inflight/{quote(job, safe='')}", limit=CANCEL_S)


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _table(title: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    cells = list(rows)
    click.echo(output.style(title, "bold"))
    click.echo(output.table(header, cells) if cells else "(no jobs)")


def _cells(job: dict[str, Any], state: str, since: str, now: float) -> tuple[str, ...]:
    began = job.get(since)
    age = f"{max(0, round((now - began) / 1000))}s" if isinstance(began, int | float) else ""
    texts = (str(job.get(name) or "") for name in ("requestId", "kind", state))
    return (*texts, age, options.short(job.get("prompt"), 40))
