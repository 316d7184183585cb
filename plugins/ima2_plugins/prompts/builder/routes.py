"""``POST /api/prompt-builder/chat``."""

from __future__ import annotations

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.prompts.builder.chat import turn
from ima2_plugins.prompts.importing.errors import ImportRoute

BODY_BYTES = 50 * 2**20
"""Pictures travel in it."""
ROUTE = "/api/prompt-builder/chat"


class BuilderRoute(ImportRoute):
    """Failures in the nested shape."""

    fault = "PROMPT_BUILDER_UNKNOWN"


def builder_router(ctx: ima2.PluginContext) -> APIRouter:
    """The conversation."""
    router = APIRouter(tags=["prompt builder"], route_class=BuilderRoute)

    @router.post(ROUTE, summary="Talk about a prompt")
    async def chat(request: Request) -> web.Json:
        """``messages`` (``{role, content, attachments}``), and ``model``, ``provider``, ``context``, ``language``;
        ``structured`` asks for a finished prompt in parts. May cost money."""
        return web.Json(await turn(await web.read_json(request, BODY_BYTES), ctx.studio))

    return router
