"""``POST /api/generate``: pictures from words, now or in the background."""

from __future__ import annotations

from types import ModuleType
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from ima2.errors import Ima2Error
from ima2.server.access import request_id_of, runtime_of
from ima2.server.job_routes import accepted, claimed_id, finished, off_loop, read_fields, submit
from ima2.server.replies import Json, failure
from ima2.server.schemas import EDIT_BODY, GENERATE_BODY, GENERATE_RESPONSES
from ima2.server.wire import edit as edit_adapter
from ima2.server.wire import generate as generate_adapter
from ima2.server.wire.errors import flat

router = APIRouter(tags=["generate"])
Images = Annotated[
    Literal["data", "url"], Query(description="`url` answers with picture addresses in place of data URLs")
]


@router.post(
    "/api/generate",
    summary="Make pictures from a prompt",
    openapi_extra={"requestBody": GENERATE_BODY},
    responses=GENERATE_RESPONSES,
)
async def generate(request: Request, images: Images = "data") -> Json:
    """Make 1 to 8 independent pictures. With ``"async": true`` answers 202 at once; ``GET /api/events`` tells the
    rest."""
    return await _answer(request, generate_adapter, images, may_be_async=True)


@router.post(
    "/api/edit",
    summary="Change a picture",
    openapi_extra={"requestBody": EDIT_BODY},
    responses=GENERATE_RESPONSES,
)
async def edit(request: Request, images: Images = "data") -> Json:
    """Change a picture as the prompt says, only where a mask is transparent if one is given."""
    return await _answer(request, edit_adapter, images, may_be_async=False)


async def _answer(request: Request, adapter: ModuleType, images: str, *, may_be_async: bool) -> Json:
    runtime, request_id = runtime_of(request), request_id_of(request)
    fields = await read_fields(request, runtime)
    try:
        asked, label = await off_loop(request, adapter.read, fields, runtime.studio, request_id)
    except Ima2Error as error:
        return failure(error, flat(error, claimed_id(fields, request_id)))
    try:
        handle = await submit(request, runtime.studio, fields, asked, label)
    except Ima2Error as error:
        return failure(error, flat(error, label.id))
    if may_be_async and fields.get("async") is True:
        return accepted(handle, **{"async": True})
    return await finished(handle, images)
