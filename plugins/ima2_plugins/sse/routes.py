"""``GET /api/events`` and the previews it points to."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from ima2_plugins.sse.previews import PATH
from ima2_plugins.sse.sink import SseSink
from ima2_plugins.sse.stream import EventStream, refusal

_INTEGER = re.compile(r"\s*[+-]?\d{1,16}\s*")
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}


def router(sink: SseSink) -> APIRouter:
    """The routes of one sink."""
    routes = APIRouter(tags=["events"])

    @routes.get(
        "/api/events",
        summary="Every event of every job, as a stream that stays open",
        response_class=Response,
        responses={
            200: _given("Server-sent events.", "text/event-stream", {"type": "string"}),
            400: _refused("`images` has another value."),
            503: _refused("`SSE_CAPACITY`: too many streams are open."),
        },
    )
    async def events(
        last_event_id: Annotated[
            str | None,
            Header(alias="Last-Event-ID", description="Integer: replay what came after this id. Beats the parameter."),
        ] = None,
        query_last_event_id: Annotated[
            str | None,
            Query(alias="lastEventId", description="Integer: replay what came after this id; 0 replays all."),
        ] = None,
        images: Annotated[
            str, Query(description="`data`: pictures inside the events as data URLs. `url`: their addresses instead.")
        ] = "data",
    ) -> Response:
        cursor = _integer(last_event_id)
        if cursor is None:
            cursor = _integer(query_last_event_id)
        if images == "data":
            return EventStream(sink, "data", cursor)
        if images == "url":
            return EventStream(sink, "url", cursor)
        return refusal(400, "INVALID_IMAGES", "`images` must be `data` or `url`.")

    @routes.get(
        PATH + "{token}",
        summary="A preview that an event of `?images=url` named",
        response_class=Response,
        responses={
            200: _given("The picture.", "image/*", {"type": "string", "format": "binary"}),
            404: _refused("`PREVIEW_GONE`: the job ended, or newer previews took its place."),
        },
    )
    async def preview(token: str) -> Response:
        picture = sink.previews.get(token)
        if picture is None:
            return refusal(404, "PREVIEW_GONE", "This preview is no longer kept. The finished picture takes its place.")
        headers = {"cache-control": "private, max-age=60", "x-content-type-options": "nosniff"}
        return Response(picture.data, media_type=picture.media_type, headers=headers)

    return routes


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and _INTEGER.fullmatch(text) else None


def _refused(what: str) -> dict[str, Any]:
    return _given(what, "application/json", _ERROR)


def _given(what: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {media_type: {"schema": schema}}}
