"""Taking pictures away, and bringing them back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web

_UNTOUCHED = {"sessionsTouched": 0, "nodesTouched": 0}
"""Where nobody keeps graphs; who does says what it changed."""


def router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes over one library."""
    routes = APIRouter(tags=["history"])

    @routes.delete("/api/history/{filename:path}/permanent", summary="Delete a picture for good")
    async def erase(filename: str) -> dict[str, Any]:
        """File, sidecar and thumbnail are gone."""
        key = _key(filename)
        with _known():
            await ctx.library.erase([key])
        return {"ok": True, "filename": key, **_UNTOUCHED, **await ctx.library.announce_removal([key])}

    @routes.delete("/api/history/{filename:path}", summary="Move a picture to the trash")
    async def trash(filename: str) -> dict[str, Any]:
        """``trashId`` brings it back."""
        key = _key(filename)
        with _known():
            token = await ctx.library.trash([key])
        undo = {"trash": "internal", "trashId": token, "undoableInApp": True}
        return {"ok": True, "filename": key, **undo, **_UNTOUCHED, **await ctx.library.announce_removal([key])}

    @routes.post("/api/history/{filename:path}/restore", summary="Bring a picture back from the trash")
    async def restore(request: Request, filename: str) -> dict[str, Any]:
        """``trashId`` is what moving it to the trash answered. Nothing is ever written over."""
        token = (await web.read_json(request)).get("trashId")
        if not isinstance(token, str) or not token:
            raise ima2.Ima2Error("TRASH_ID_REQUIRED", 400, "trashId is required.")
        if not ima2.is_key(token) or "/" in token:
            raise ima2.Ima2Error("INVALID_TRASH_ID", 400, "trashId names nothing in the trash.")
        _key(filename)
        keys = await ctx.library.restore(token)
        return {"ok": True, "filename": keys[0]}

    return routes


def _key(filename: str) -> str:
    """The name of a file of the gallery, or 400: anything else, a folder or a way out of it, is none."""
    if not ima2.is_key(filename):
        raise ima2.Ima2Error("INVALID_FILENAME", 400, "That is no name of a file in the gallery.")
    return filename


@contextmanager
def _known() -> Iterator[None]:
    try:
        yield
    except KeyError:
        raise ima2.Ima2Error("ASSET_NOT_FOUND", 404, "There is no such picture.") from None
