"""``POST /api/generate/multimode``: a sequence, told picture by picture."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ima2.errors import Ima2Error
from ima2.server.access import request_id_of, runtime_of
from ima2.server.posting import named, off_loop, read_fields, start_in_background, start_telling
from ima2.server.replies import failure
from ima2.server.schemas import GENERATE_RESPONSES, SEQUENCE_BODY
from ima2.server.streams import one_frame, stream
from ima2.ways.multimode import Multimode

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
        studio = runtime.studio
        way = await off_loop(request, Multimode.read, fields, studio.provider, studio.limits, request_id)
        running = await studio.admit(way)
    except Ima2Error as error:
        return refused(error, plain(error, named(fields, request_id)), as_stream=not in_background)
    if in_background:
        return start_in_background(runtime, way, running)
    return stream(start_telling(runtime, way, running))


def plain(error: Ima2Error, request_id: str) -> dict[str, Any]:
    """The flat error shape with its status."""
    return {"error": error.text, "code": error.code, "status": error.status, "requestId": request_id, **error.details}


def refused(error: Ima2Error, body: dict[str, Any], *, as_stream: bool) -> Response:
    """A refusal over HTTP, or as the one frame of a stream."""
    if not as_stream:
        return failure(error, body)
    wait = {"Retry-After": str(round(error.retry_after))} if error.retry_after is not None else None
    return one_frame("error", body, wait)
