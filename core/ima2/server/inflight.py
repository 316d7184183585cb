"""``/api/inflight``: what runs, waits in line, has ended lately; stopping and moving it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from ima2.aliases import camel_keys
from ima2.errors import Ima2Error
from ima2.jobs.record import ERROR, UNKNOWN, JobRecord
from ima2.server import examples
from ima2.server.access import runtime_of
from ima2.server.bodies import read_json
from ima2.server.replies import Json

router = APIRouter(tags=["jobs"])


@router.get("/api/inflight", summary="List jobs", responses=examples.JOBS)
async def list_jobs(
    request: Request,
    kind: str | None = None,
    session_id: Annotated[str | None, Query(alias="sessionId")] = None,
    include_terminal: Annotated[str | None, Query(alias="includeTerminal")] = None,
) -> Json:
    """Running and waiting jobs, oldest first; with ``includeTerminal=1`` also those that ended within five minutes,
    newest first. A job in line has ``"status": "queued"`` and its ``place``, 1 being the next to begin; one whose
    plugin is not in use since the last start has ``"status": "waiting"``."""
    jobs = runtime_of(request).jobs
    places = jobs.places()
    answer = {"jobs": [active(record, places.get(record.id)) for record in jobs.active(kind, session_id)]}
    for listed in answer["jobs"]:
        if listed["requestId"] in jobs.parked:
            listed["status"] = "waiting"
    if include_terminal in {"1", "true"}:
        answer["terminalJobs"] = [terminal(record) for record in jobs.ended(kind, session_id)]
    return Json(answer)


@router.delete("/api/inflight/{request_id:path}", summary="Cancel a job", responses=examples.CANCELED)
async def cancel(request: Request, request_id: str) -> Json:
    """Stop a job and the upstream call it waits for. Always 200; the two flags tell what there was to stop."""
    was_active, aborted = await runtime_of(request).jobs.cancel(request_id)
    return Json({"requestId": request_id, "active": was_active, "aborted": aborted})


@router.patch("/api/inflight/{request_id:path}", summary="Move a job in line", responses=examples.MOVED)
async def move(request: Request, request_id: str) -> Json:
    """Put a job that waits in line at another ``place``, 1 being the next to begin. 404 for a job that is not known,
    409 for one that has begun already."""
    runtime = runtime_of(request)
    fields = await read_json(request, runtime.settings.body_limit)
    place = fields.get("place") if fields is not None else None
    if isinstance(place, bool) or not isinstance(place, int) or place < 1:
        raise Ima2Error("INVALID_PLACE", 400, "place must be a whole number from 1 on.")
    return Json({"requestId": request_id, "place": runtime.jobs.move(request_id, place)})


def active(record: JobRecord, place: int | None = None) -> dict[str, Any]:
    """A running or waiting job as listed."""
    listed = {
        "requestId": record.id,
        "kind": record.kind,
        "prompt": record.prompt,
        "meta": camel_keys(record.meta),
        "startedAt": record.started_at,
        "phase": record.phase,
        "phaseAt": record.phase_at,
    }
    return listed | ({"status": record.status, "place": place} if place is not None else {})


def terminal(record: JobRecord) -> dict[str, Any]:
    """An ended job as listed. Clients know no unknown outcome: for them it is an error, whose code says it."""
    finished = record.finished_at or record.started_at
    listed: dict[str, Any] = {
        "requestId": record.id,
        "kind": record.kind,
        "status": ERROR if record.status == UNKNOWN else record.status,
        "prompt": record.prompt,
        "startedAt": record.started_at,
        "finishedAt": finished,
        "durationMs": max(0, finished - record.started_at),
        "phase": record.phase,
        "phaseAt": record.phase_at,
        "httpStatus": record.http_status,
        "errorCode": record.error_code,
        "meta": camel_keys(record.meta),
    }
    return {name: value for name, value in listed.items() if value is not None}
