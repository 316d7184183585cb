"""``POST /api/generate``: pictures from words, now or in the background."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request

from ima2.errors import Ima2Error
from ima2.server.access import house_of, request_id_of
from ima2.server.bodies import BIG, read_json
from ima2.server.replies import Json, by_url, failure, reply
from ima2.server.schemas import GENERATE_BODY, GENERATE_RESPONSES
from ima2.ways.classic import Classic
from ima2.ways.diagnostics import flat

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
    house, request_id = house_of(request), request_id_of(request)
    studio = house.studio
    fields = await read_json(request, house.settings.body_limit)
    if fields is None:
        return failure(Ima2Error("INVALID_BODY", 400, "A JSON body is needed (Content-Type: application/json)."))
    try:
        large = int(request.headers.get("content-length") or 0) > BIG
        read = (fields, studio.provider, studio.limits, request_id)
        way = await asyncio.to_thread(Classic.read, *read) if large else Classic.read(*read)
    except Ima2Error as error:
        return failure(error, flat(error, _named(fields, request_id)))
    try:
        running = await studio.admit(way)
    except Ima2Error as error:
        return failure(error, flat(error, way.id))
    task = studio.start(way, running)
    if way.asked_async:
        task.add_done_callback(_seen)
        return Json({"requestId": way.id, "async": True}, 202)
    try:
        outcome = await asyncio.shield(task)
    except Ima2Error as error:
        return failure(error, way.refusal(error))
    answer = way.reply(outcome)
    return await reply(by_url(answer) if images == "url" else answer)


def _named(fields: Any, fallback: str) -> str:
    value = fields.get("requestId")
    return value if isinstance(value, str) and 0 < len(value) <= 128 else fallback


def _seen(task: asyncio.Task[Any]) -> None:
    """Take note of how a background job ended; the job's record has it all."""
    if not task.cancelled():
        task.exception()
