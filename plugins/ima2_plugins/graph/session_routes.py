"""Sessions: list, begin, read, rename, drop."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.graph import examples, sessions
from ima2_plugins.graph.errors import SessionRoute


def session_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes of sessions."""
    router, database = APIRouter(tags=["sessions"], route_class=SessionRoute), ctx.database

    @router.get("/api/sessions", summary="List sessions", responses=examples.SESSIONS)
    async def list_sessions() -> web.Json:
        """The one that changed last first."""
        return web.Json({"sessions": await database.read(sessions.list_sessions)})

    @router.post(
        "/api/sessions",
        summary="Begin a session",
        status_code=201,
        responses=examples.CREATED,
        openapi_extra=examples.body({"title": "Poster"}),
    )
    async def create(request: Request) -> web.Json:
        """``title``, at most 200 characters; without one it is ``Untitled``."""
        title = (await web.read_json(request)).get("title")
        named = title if isinstance(title, str) and title else "Untitled"
        made = await database.write(lambda connection: sessions.create(connection, named))
        return web.Json({"session": made}, 201)

    @router.get("/api/sessions/{session_id}", summary="Read a session with its graph", responses=examples.READ)
    async def read(session_id: str) -> web.Json:
        """404 ``SESSION_NOT_FOUND``."""
        return web.Json({"session": await database.read(lambda connection: sessions.read(connection, session_id))})

    @router.patch(
        "/api/sessions/{session_id}",
        summary="Rename a session",
        responses=examples.RENAMED,
        openapi_extra=examples.body({"title": "Poster"}),
    )
    async def rename(request: Request, session_id: str) -> dict[str, Any]:
        """``title``. 400 ``INVALID_TITLE``, 404 ``SESSION_NOT_FOUND``."""
        title = (await web.read_json(request)).get("title")
        if not isinstance(title, str) or not title.strip():
            raise ima2.Ima2Error("INVALID_TITLE", 400, "title must be a text.")
        await database.write(lambda connection: sessions.rename(connection, session_id, title))
        return {"ok": True}

    @router.delete("/api/sessions/{session_id}", summary="Drop a session", responses=examples.CHANGED)
    async def remove(session_id: str) -> dict[str, Any]:
        """Its graph goes with it, its pictures stay. 404 ``SESSION_NOT_FOUND``."""
        await database.write(lambda connection: sessions.remove(connection, session_id))
        return {"ok": True}

    return router
