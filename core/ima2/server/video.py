"""Clips: making, changing, looking into and describing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ima2.errors import Ima2Error
from ima2.library.names import extension_of
from ima2.media.frames import LATEST, Position
from ima2.models import TextRequest
from ima2.server.access import request_id_of, runtime_of
from ima2.server.job_routes import accepted, claimed_id, read_fields, submit
from ima2.server.replies import Json
from ima2.server.schemas import (
    ANALYZE_BODY,
    ANALYZE_RESPONSES,
    CHANGE_RESPONSES,
    CLIP_BODY,
    CLIP_EDIT_BODY,
    CLIP_EXTEND_BODY,
    FRAME_RESPONSES,
    GENERATE_RESPONSES,
)
from ima2.server.sequences import plain, refused
from ima2.server.streams import event_stream
from ima2.server.wire import video_edit, video_generate
from ima2.server.wire.gallery_inputs import clip_name, frame
from ima2.server.wire.video_analysis import DESCRIBE

router = APIRouter(tags=["video"])


@router.post(
    "/api/video/generate",
    summary="Make a clip",
    openapi_extra={"requestBody": CLIP_BODY},
    responses=GENERATE_RESPONSES,
    response_model=None,
)
async def make(request: Request) -> Response:
    """A clip from words, pictures or the end of another clip, as an event stream: ``planning``, ``submitted``,
    ``progress``, then ``done`` or ``error``.

    With ``"async": true`` answers 202 at once. Without, as in the reference, even a refusal is a stream: one
    ``error`` frame.
    """
    runtime, request_id = runtime_of(request), request_id_of(request)
    fields = await read_fields(request, runtime)
    in_background = fields.get("async") is True
    try:
        asked, label = await video_generate.read(fields, runtime.studio, runtime.library, request_id)
        handle = await submit(request, runtime.studio, fields, asked, label)
    except Ima2Error as error:
        second = claimed_id({"requestId": fields.get("clientRequestId")}, request_id)
        return refused(error, plain(error, claimed_id(fields, second)), as_stream=not in_background)
    return accepted(handle) if in_background else event_stream(handle)


@router.post(
    "/api/video/edit",
    summary="Change a clip",
    openapi_extra={"requestBody": CLIP_EDIT_BODY},
    responses=CHANGE_RESPONSES,
)
async def edit(request: Request) -> Json:
    """A new clip: the one given, changed as the prompt says. Waits for it; the work goes on if the client leaves."""
    return await _changed(request, "edit")


@router.post(
    "/api/video/extend",
    summary="Lengthen a clip",
    openapi_extra={"requestBody": CLIP_EXTEND_BODY},
    responses=CHANGE_RESPONSES,
)
async def extend(request: Request) -> Json:
    """A new clip: the one given and ``duration`` more seconds. Waits for it; the work goes on if the client leaves."""
    return await _changed(request, "extend")


@router.get("/api/video/frame", summary="A frame of a clip", responses=FRAME_RESPONSES, response_model=None)
async def clip_frame(
    request: Request,
    file: Annotated[str, Query(description="a clip of the gallery")] = "",
    position: Annotated[str, Query(description="`last`, or seconds from the start (0 to 3600)")] = "last",
) -> Response:
    """One frame as a PNG."""
    if not file:
        raise Ima2Error("VIDEO_FILE_REQUIRED", 400, "The query must name a clip: file=….mp4")
    picture = await frame(runtime_of(request).library.storage, clip_name(file), _position(position))
    return Response(picture.data, media_type=picture.media_type)


@router.post(
    "/api/video/analyze",
    summary="Describe a clip",
    openapi_extra={"requestBody": ANALYZE_BODY},
    responses=ANALYZE_RESPONSES,
)
async def analyze(request: Request) -> Json:
    """What a clip shows, in words, from its first and last frame."""
    runtime = runtime_of(request)
    fields = await read_fields(request, runtime)
    provider = runtime.studio.provider(fields.get("provider"), "video")
    key, storage = _clip_of(fields), runtime.library.storage
    first, last = await frame(storage, key, 0.0), await frame(storage, key, "last")
    answer = await runtime.studio.text(TextRequest(DESCRIBE, provider.id, pictures=(first, last)))
    if not answer.text.strip():
        raise Ima2Error("VIDEO_ANALYSIS_EMPTY", 502, "The model said nothing about the clip. Try again.")
    return Json({"analysis": answer.text, "model": answer.model, "method": "first-last-frame"})


async def _changed(request: Request, mode: Literal["edit", "extend"]) -> Json:
    """Run a change as a job behind an answer that waits for it. Errors have the bare shape."""
    runtime, request_id = runtime_of(request), request_id_of(request)
    fields = await read_fields(request, runtime)
    asked, label = await video_edit.read(mode, fields, runtime.studio, runtime.library, request_id)
    handle = await submit(request, runtime.studio, fields, asked, label)
    return Json((await handle.result()).data)


def _clip_of(fields: Mapping[str, Any]) -> str:
    name = fields.get("videoUrl")
    if not isinstance(name, str) or not name.strip():
        raise Ima2Error("VIDEO_URL_REQUIRED", 400, "videoUrl must name a clip of the gallery.")
    if extension_of(name) != "mp4" or "://" in name or name.startswith("data:"):
        raise Ima2Error("VIDEO_URL_INVALID", 400, "videoUrl must be the name of an .mp4 file of the gallery.")
    return clip_name(name)


def _position(text: str) -> Position:
    if text == "last":
        return "last"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LATEST:
        raise Ima2Error("INVALID_POSITION", 400, "position must be `last` or seconds from 0 to 3600.")
    return seconds
