"""The style sheet of a session: read, write, use, and have it read from words and a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.graph import examples, sessions, style_sheet
from ima2_plugins.graph.errors import SessionRoute
from ima2_plugins.graph.style_extraction import LONGEST_PICTURE, extract, picture_of, words_of

if TYPE_CHECKING:
    from ima2_plugins.graph.settings import GraphSettings

PATH = "/api/sessions/{session_id}/style-sheet"


def style_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes of style sheets."""
    router, database = APIRouter(tags=["sessions"], route_class=SessionRoute), ctx.database

    @router.get(PATH, summary="Read a style sheet", responses=examples.STYLE)
    async def read(session_id: str) -> web.Json:
        """``styleSheet`` (null where there is none), and whether it is ``enabled``."""
        sheet, enabled = await database.read(lambda connection: style_sheet.read(connection, session_id))
        return web.Json({"styleSheet": sheet, "enabled": enabled})

    @router.put(
        PATH,
        summary="Write a style sheet",
        responses=examples.STYLE_STORED,
        openapi_extra=examples.body({"styleSheet": examples.SHEET, "enabled": True}),
    )
    async def write(request: Request, session_id: str) -> dict[str, Any]:
        """``styleSheet`` (an object or null) and perhaps ``enabled``; or the sheet as the whole body."""
        sheet, enabled = style_sheet.sheet_of(await web.read_json(request))
        await database.write(lambda connection: style_sheet.write(connection, session_id, sheet, enabled))
        return {"ok": True}

    @router.patch(
        f"{PATH}/enabled",
        summary="Use a style sheet, or no longer",
        responses=examples.STYLE_SWITCHED,
        openapi_extra=examples.body({"enabled": True}),
    )
    async def switch(request: Request, session_id: str) -> dict[str, Any]:
        """``enabled``: pictures of the session are made in its style."""
        enabled = style_sheet.flag_of((await web.read_json(request)).get("enabled"))
        await database.write(lambda connection: style_sheet.switch(connection, session_id, enabled))
        return {"ok": True, "enabled": enabled}

    @router.post(
        f"{PATH}/extract",
        summary="Read a style sheet from words and a picture",
        responses=examples.STYLE_FOUND,
        openapi_extra=examples.body({"prompt": "a heron"}),
    )
    async def read_style(request: Request, session_id: str) -> web.Json:
        """``prompt``, else the prompts of the session's nodes, and perhaps ``referenceDataUrl``. The sheet is stored;
        whether it is used stays as it was. Costs what the provider takes for words."""
        settings: GraphSettings = ctx.settings
        fields = await web.read_json(request, LONGEST_PICTURE + 100_000)
        session = await database.read(lambda connection: sessions.read(connection, session_id))
        prompt = fields.get("prompt")
        words = prompt if isinstance(prompt, str) and prompt.strip() else words_of(session["nodes"])
        picture = picture_of(fields.get("referenceDataUrl"))
        if not words:
            text = "A prompt is required: no node of the session has one."
            raise ima2.Ima2Error("STYLE_SHEET_BAD_INPUT", 400, text)
        sheet = await extract(ctx.studio, words, picture, settings.style_model)
        await database.write(lambda connection: style_sheet.write(connection, session_id, sheet, None))
        return web.Json({"styleSheet": sheet})

    return router
