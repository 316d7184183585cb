"""``POST /api/generate/multimode``: a sequence, told picture by picture."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ima2.errors import Ima2Error
from ima2.server.access import request_id_of, runtime_of
from ima2.server.job_routes import accepted, claimed_id, off_loop, read_fields, submit
from ima2.server.replies import failure
from ima2.server.schemas import GENERATE_RESPONSES, SEQUENCE_BODY
from ima2.server.streams import event_stream, one_frame
from ima2.server.wire import multimode as adapter

router = APIRouter(tags=["generate"])


@router.post(
    "/api/generate/multimode",
    summary="Make a sequence of pictures",
    openapi_extra={"requestBody": SEQUENCE_BODY},
    responses=GENERATE_RESPONSES,
    response_model=None,
)
async def multimode(request: Request) -> Response:
    """Up to 8 pictures of one story as an event stream: ``phase``, ``partial``, ``image``, then ``done`` or ``error``.

    With ``"async": true`` answers 202 at once. Without, as in the reference, even a refusal is a stream: one
    ``error`` frame.
    """
    runtime, request_id = runtime_of(request), request_id_of(request)
    fields = await read_fields(request, runtime)
    in_background = fields.get("async") is True
    try:
        asked, label = await off_loop(request, adapter.read, fields, runtime.studio, request_id)
        handle = await submit(request, runtime.studio, fields, asked, label)
    except Ima2Error as error:
        return refused(error, plain(error, claimed_id(fields, request_id)), as_stream=not in_background)
    return accepted(handle) if in_background else event_stream(handle)


def plain(error: Ima2Error, request_id: str) -> dict[str, Any]:
    """The flat error shape with its status."""
    return {"error": error.text, "code": error.code, "status": error.status, "requestId": request_id, **error.details}


def refused(error: Ima2Error, body: dict[str, Any], *, as_stream: bool) -> Response:
    """A refusal over HTTP, or as the one frame of a stream."""
    if not as_stream:
        return failure(error, body)
    wait = {"Retry-After": str(round(error.retry_after))} if error.retry_after is not None else None
    return one_frame("error", body, wait)
