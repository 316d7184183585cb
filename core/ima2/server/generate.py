"""``POST /api/generate``: pictures from words, now or in the background."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from ima2.errors import Ima2Error
from ima2.server.access import request_id_of, runtime_of
from ima2.server.posting import named, off_loop, read_fields, start_in_background
from ima2.server.replies import Json, by_url, failure, reply
from ima2.server.schemas import EDIT_BODY, GENERATE_BODY, GENERATE_RESPONSES
from ima2.ways.classic import Classic
from ima2.ways.diagnostics import flat
from ima2.ways.edit import Edit
from ima2.ways.pictures import PictureWay

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
    return await _answer(request, Classic, images, may_be_async=True)


@router.post(
    "/api/edit",
    summary="Change a picture",
    openapi_extra={"requestBody": EDIT_BODY},
    responses=GENERATE_RESPONSES,
)
async def edit(request: Request, images: Images = "data") -> Json:
    """Change a picture as the prompt says, only where a mask is transparent if one is given."""
    return await _answer(request, Edit, images, may_be_async=False)


async def _answer(request: Request, kind: type[Classic | Edit], images: str, *, may_be_async: bool) -> Json:
    runtime, request_id = runtime_of(request), request_id_of(request)
    studio = runtime.studio
    fields = await read_fields(request, runtime)
    try:
        way: PictureWay = await off_loop(request, kind.read, fields, studio.provider, studio.limits, request_id)
    except Ima2Error as error:
        return failure(error, flat(error, named(fields, request_id)))
    try:
        running = await studio.admit(way)
    except Ima2Error as error:
        return failure(error, flat(error, way.id))
    if may_be_async and way.asked_async:
        return start_in_background(runtime, way, running, **{"async": True})
    try:
        outcome = await asyncio.shield(studio.start(way, running))
    except Ima2Error as error:
        return failure(error, way.refusal(error))
    answer = way.reply(outcome)
    return await reply(by_url(answer) if images == "url" else answer)
