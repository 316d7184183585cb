"""Collecting what a job made when its answer did not reach the client. Nothing is asked for twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ima2.cli.destination import MediaFile
from ima2.cli.job_request import JobRequest
from ima2.cli.options import remark
from ima2.client import Client
from ima2.errors import Ima2Error
from ima2.media.sniff import MEDIA_TYPES

POLL_S, GRACE_S = 1.0, 2.0
_LOOK_S = 10.0


@dataclass(frozen=True, slots=True)
class JobState:
    """Where a job stands: running, ended with files, ended with an error; none of them when nobody knows it."""

    running: bool = False
    files: tuple[str, ...] = ()
    error: Ima2Error | None = None


async def recover(
    client: Client, request: JobRequest, failure: Ima2Error, deadline: float | None, *, announce: bool = True
) -> list[MediaFile]:
    """The job's pictures, downloaded from the gallery.

    A job that still runs is waited for until ``deadline`` (of ``time.monotonic()``; ``None`` for as long as it runs),
    a job that nobody knows for two seconds. Then ``failure`` is raised again, in words that say how things stand. A
    job that ended badly raises its own error. With ``announce`` a person is told that it is waited for.
    """
    grace = time.monotonic() + GRACE_S
    said = not announce
    while True:
        standing = await _standing(client, request)
        if standing.error is not None:
            raise standing.error
        if standing.files:
            return [await _download(client, name) for name in standing.files]
        now, until = time.monotonic(), grace if deadline is None else max(deadline, grace)
        if now > until and not (standing.running and deadline is None):
            raise _give_up_error(failure, standing.running, request)
        if standing.running and deadline is None and not said:
            said = True
            remark(f"{failure.text} Job {request.request_id} still runs on the server: waiting for it.")
        await asyncio.sleep(POLL_S)


async def _standing(client: Client, request: JobRequest) -> JobState:
    """Ask the list of jobs, then the gallery. A server that does not answer now may do so later."""
    try:
        jobs = await client.ask("GET", "/api/inflight", query={"includeTerminal": 1}, limit=_LOOK_S)
        if _row(jobs.get("jobs"), request.request_id) is not None:
            return JobState(running=True)
        ended = _row(jobs.get("terminalJobs"), request.request_id)
        if ended is not None and ended.get("status") in {"error", "canceled"}:
            return JobState(error=_error_of(ended))
        if ended is not None and (files := _files_of(ended)):
            return JobState(files=files)
        query: dict[str, str | int | None] = {"limit": request.count, "requestId": request.request_id}
        history = await client.ask("GET", "/api/history", query=query, limit=_LOOK_S)
    except Ima2Error:
        return JobState()
    rows = [row for row in _rows(history.get("items")) if row.get("requestId") == request.request_id]
    return JobState(files=tuple(str(row["filename"]) for row in reversed(rows) if row.get("filename")))


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _row(value: Any, request_id: str) -> Mapping[str, Any] | None:
    return next((row for row in _rows(value) if row.get("requestId") == request_id), None)


def _files_of(ended: Mapping[str, Any]) -> tuple[str, ...]:
    meta = ended.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    names = meta.get("filenames") or [meta.get("filename")]
    return tuple(name for name in names if isinstance(name, str) and name) if isinstance(names, list) else ()


def _error_of(ended: Mapping[str, Any]) -> Ima2Error:
    code, status = ended.get("errorCode"), ended.get("httpStatus")
    said = "The job was canceled." if ended.get("status") == "canceled" else "The job failed on the server."
    known = code if isinstance(code, str) and code else "JOB_FAILED"
    return Ima2Error(known, status if isinstance(status, int) else 0, said)


def _give_up_error(failure: Ima2Error, running: bool, request: JobRequest) -> Ima2Error:
    more = (
        f"Job {request.request_id} still runs on the server: `ima2 ps` shows it, `ima2 cancel` stops it, "
        "and its pictures will be in the gallery."
        if running
        else f"The server does not know how job {request.request_id} ended; see `ima2 ls`."
    )
    return Ima2Error(failure.code, failure.status, f"{failure.text} {more}")


async def _download(client: Client, name: str) -> MediaFile:
    declared = MEDIA_TYPES.get(name.rpartition(".")[2].lower())
    return MediaFile(await client.download(f"/generated/{quote(name)}"), name, declared)


async def find_request_id(client: Client, text: str) -> str:
    """The id of a job that begins so, among those in line, at work and just ended; else the text itself.

    Raises `Ima2Error` ``NAME_AMBIGUOUS`` where several do.
    """
    answer = await client.jobs(ended=True)
    rows = [*_rows(answer.get("jobs")), *_rows(answer.get("terminalJobs"))]
    close = dict.fromkeys(known for row in rows if (known := str(row.get("requestId", ""))).startswith(text))
    if text in close or not close:
        return text
    if len(close) > 1:
        raise Ima2Error("NAME_AMBIGUOUS", 0, f"{text} may be {' or '.join(list(close)[:5])}: write more of the id.")
    return next(iter(close))
