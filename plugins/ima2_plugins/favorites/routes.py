"""``POST /api/history/favorite``: mark a picture, or take the mark away."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.favorites.table import toggle


def router(database: ima2.Sql) -> APIRouter:
    """The route over a database."""
    routes = APIRouter(tags=["history"])

    @routes.post("/api/history/favorite", summary="Mark a picture as a favourite, or no longer", responses=RESPONSES)
    async def favorite(request: Request) -> dict[str, bool]:
        """Toggles the mark of ``filename`` for the browser that the header ``X-Ima2-Browser-Id`` names. The file need
        not exist."""
        filename = (await web.read_json(request)).get("filename")
        if not isinstance(filename, str) or not filename or len(filename) > 1000:
            raise ima2.Ima2Error("FILENAME_REQUIRED", 400, "filename is required.")
        browser = web.browser_id(request)
        if not browser:
            raise ima2.Ima2Error("BROWSER_ID_REQUIRED", 400, "The header X-Ima2-Browser-Id is required.")
        marked = await database.write(lambda connection: toggle(connection, browser, filename))
        return {"isFavorite": marked}

    return routes


def _example(value: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"example": value}}}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _example({"isFavorite": True}),
    400: _example({"error": "filename is required.", "code": "FILENAME_REQUIRED"}),
}
