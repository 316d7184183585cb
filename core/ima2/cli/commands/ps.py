"""ima2 ps: the jobs of a running server."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.server_discovery import open_client

KINDS = "classic|node|multimode|video"


def listing_options(command: options.Command) -> options.Command:
    """The options of ``ps`` and ``inflight ls``."""
    command = options.client_options(command)
    command = click.option("--terminal", is_flag=True, help="Also those that ended within five minutes.")(command)
    command = click.option("--session", metavar="ID", help="Of this session only.")(command)
    return click.option("--kind", metavar=KINDS, help="Of this kind only.")(command)


@click.command(context_settings=options.CONTEXT)
@listing_options
def ps(server: str | None, as_json: bool, kind: str | None, session: str | None, terminal: bool) -> None:
    """List the jobs that are running, with the ids that `ima2 cancel` takes."""
    print_jobs(server, as_json, kind, session, terminal)


def print_jobs(server: str | None, as_json: bool, kind: str | None, session: str | None, terminal: bool) -> None:
    """Ask the server for its jobs and print them."""
    query = {"kind": kind, "sessionId": session, "includeTerminal": 1 if terminal else None}
    answer = options.run_async(_fetch(server, query))
    running, ended = _rows(answer.get("jobs")), _rows(answer.get("terminalJobs"))
    if as_json:
        output.print_json({"jobs": running, **({"terminalJobs": ended} if terminal else {})})
        return
    now = time.time() * 1000
    cells = (_cells(job, "phase", "startedAt", now) for job in running)
    _table("Running jobs", ("ID", "KIND", "PHASE", "AGE", "PROMPT"), cells)
    if terminal:
        click.echo()
        cells = (_cells(job, "status", "finishedAt", now) for job in ended)
        _table("Ended jobs", ("ID", "KIND", "STATUS", "AGE", "PROMPT"), cells)


async def _fetch(server: str | None, query: dict[str, str | int | None]) -> dict[str, Any]:
    async with open_client(server) as client:
        return await client.ask("GET", "/api/inflight", query=query)


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _table(title: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    cells = list(rows)
    click.echo(output.style(title, "bold"))
    click.echo(output.table(header, cells) if cells else "(no jobs)")


def _cells(job: dict[str, Any], state: str, since: str, now: float) -> tuple[str, ...]:
    began = job.get(since)
    age = f"{max(0, round((now - began) / 1000))}s" if isinstance(began, int | float) else ""
    stands = f"in line, {job['place']}" if job.get("place") else str(job.get(state) or "")
    share = job.get("progress")
    if state == "phase" and isinstance(share, float):
        stands = f"{stands} {share:.0%}"
    texts = (str(job.get(name) or "") for name in ("requestId", "kind"))
    return (*texts, stands, age, options.short(job.get("prompt"), 40))
