"""``/api/inflight``: what runs, what has ended lately, and stopping it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from ima2.jobs.record import JobRecord
from ima2.server import examples
from ima2.server.access import runtime_of
from ima2.server.replies import Json

router = APIRouter(tags=["jobs"])


@router.get("/api/inflight", summary="List jobs", responses=examples.JOBS)
async def list_jobs(
    request: Request,
    kind: str | None = None,
    session_id: Annotated[str | None, Query(alias="sessionId")] = None,
    include_terminal: Annotated[str | None, Query(alias="includeTerminal")] = None,
) -> Json:
    """Running jobs, oldest first; with ``includeTerminal=1`` also those that ended within five minutes, newest
    first."""
    jobs = runtime_of(request).jobs
    answer = {"jobs": [active(record) for record in jobs.active(kind, session_id)]}
    if include_terminal in {"1", "true"}:
        answer["terminalJobs"] = [terminal(record) for record in jobs.ended(kind, session_id)]
    return Json(answer)


@router.delete("/api/inflight/{request_id:path}", summary="Cancel a job", responses=examples.CANCELED)
async def cancel(request: Request, request_id: str) -> Json:
    """Stop a job and the upstream call it waits for. Always 200; the two flags tell what there was to stop."""
    was_active, aborted = await runtime_of(request).jobs.cancel(request_id)
    return Json({"requestId": request_id, "active": was_active, "aborted": aborted})


def active(record: JobRecord) -> dict[str, Any]:
    """A running job as listed."""
    return {
        "requestId": record.id,
        "kind": record.kind,
        "prompt": record.prompt,
        "meta": dict(record.meta),
        "startedAt": record.started_at,
        "phase": record.phase,
        "phaseAt": record.phase_at,
    }


def terminal(record: JobRecord) -> dict[str, Any]:
    """An ended job as listed."""
    finished = record.finished_at or record.started_at
    listed: dict[str, Any] = {
        "requestId": record.id,
        "kind": record.kind,
        "status": record.status,
        "prompt": record.prompt,
        "startedAt": record.started_at,
        "finishedAt": finished,
        "durationMs": max(0, finished - record.started_at),
        "phase": record.phase,
        "phaseAt": record.phase_at,
        "httpStatus": record.http_status,
        "errorCode": record.error_code,
        "meta": dict(record.meta),
    }
    return {name: value for name, value in listed.items() if value is not None}
