"""What the routes that start jobs share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request

from ima2.errors import Ima2Error
from ima2.jobs.jobs import RunningJob
from ima2.runtime import Runtime
from ima2.server.bodies import BIG, read_json
from ima2.server.replies import Json
from ima2.server.streams import Told
from ima2.studio.studio import seen
from ima2.ways.way import Outcome, Way

W = TypeVar("W", bound=Way)


async def read_fields(request: Request, runtime: Runtime) -> Mapping[str, Any]:
    """The body as a JSON object, or 400 ``INVALID_BODY`` where there is none."""
    fields = await read_json(request, runtime.settings.body_limit)
    if fields is None:
        raise Ima2Error("INVALID_BODY", 400, "A JSON body is needed (Content-Type: application/json).")
    return fields


async def off_loop(request: Request, read: Callable[..., W], *arguments: Any) -> W:
    """Run a reader of a body in place, or in a thread when the body is large."""
    large = int(request.headers.get("content-length") or 0) > BIG
    return await asyncio.to_thread(read, *arguments) if large else read(*arguments)


def named(fields: Mapping[str, Any], fallback: str) -> str:
    """The id a refused request is answered with."""
    value = fields.get("requestId")
    return value if isinstance(value, str) and 0 < len(value) <= 128 else fallback


def start_in_background(runtime: Runtime, way: Way, running: RunningJob, **more: Any) -> Json:
    """Run the job on its own; the answer is 202 with its id."""
    runtime.studio.start(way, running).add_done_callback(seen)
    return Json({"requestId": way.id, **more}, 202)


def start_telling(runtime: Runtime, way: Way, running: RunningJob) -> Told:
    """Run the job and tell its client on a stream of its own, which ends with ``done`` or ``error``."""
    told = Told()

    def ended(task: asyncio.Task[Outcome]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Ima2Error):
            told("error", {**way.refusal(error, Outcome()), "status": error.status})
        elif error is None and not task.cancelled():
            told("done", way.reply(task.result()))
        told.end()

    runtime.studio.start(way, running, told).add_done_callback(ended)
    return told
