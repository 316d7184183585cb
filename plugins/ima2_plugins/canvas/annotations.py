"""``/api/annotations/<file>``: lines, boxes and notes over a picture, for the browser that drew them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.canvas import examples, table

LISTS = ("paths", "boxes", "memos")
LONGEST, LONGEST_BODY, LONGEST_NAME = 262_144, 2_097_152, 240
PATH = "/api/annotations/{filename:path}"


def annotation_router(database: ima2.Sql) -> APIRouter:
    """The routes over a database."""
    router = APIRouter(tags=["canvas"])

    @router.get(PATH, summary="What is drawn over a picture", responses=examples.READ, openapi_extra=examples.OWNER)
    async def read(request: Request, filename: str) -> web.Json:
        """``annotations``: ``paths``, ``boxes`` and ``memos``, or null. The header ``X-Ima2-Browser-Id`` says whose."""
        browser, name = _owner(request), _name(filename)
        return web.Json({"annotations": await database.read(lambda connection: table.read(connection, browser, name))})

    @router.put(
        PATH, summary="Keep what is drawn over a picture", responses=examples.DONE, openapi_extra=examples.DRAWN
    )
    async def write(request: Request, filename: str) -> dict[str, bool]:
        """``annotations``, or the three lists themselves; a list that is missing is empty. The file need not exist.
        413 ``ANNOTATIONS_TOO_LARGE`` beyond 262144 characters."""
        browser, name = _owner(request), _name(filename)
        payload = orjson.dumps(_lists(await web.read_json(request, LONGEST_BODY))).decode()
        if len(payload) > LONGEST:
            text = f"Annotations have at most {LONGEST} characters of JSON."
            raise ima2.Ima2Error("ANNOTATIONS_TOO_LARGE", 413, text)
        await database.write(lambda connection: table.write(connection, browser, name, payload))
        return {"ok": True}

    @router.delete(
        PATH, summary="Forget what is drawn over a picture", responses=examples.DONE, openapi_extra=examples.OWNER
    )
    async def remove(request: Request, filename: str) -> dict[str, bool]:
        """Fine where there was nothing, too."""
        browser, name = _owner(request), _name(filename)
        await database.write(lambda connection: table.remove(connection, browser, name))
        return {"ok": True}

    return router


def _owner(request: Request) -> str:
    browser = web.browser_id(request)
    if not browser:
        raise ima2.Ima2Error("BROWSER_ID_REQUIRED", 400, "The header X-Ima2-Browser-Id is required.")
    return browser


def _name(filename: str) -> str:
    odd = ".." in filename or "\\" in filename or "\x00" in filename or filename.startswith("/")
    if not filename or len(filename) > LONGEST_NAME or odd:
        raise ima2.Ima2Error("INVALID_FILENAME", 400, "That is no name of a file in the gallery.")
    return filename


def _lists(fields: Mapping[str, Any]) -> dict[str, list[Any]]:
    inner = fields.get("annotations", fields)
    if not isinstance(inner, dict):
        raise ima2.Ima2Error("ANNOTATIONS_REQUIRED", 400, "annotations must be an object.")
    return {name: inner[name] if isinstance(inner.get(name), list) else [] for name in LISTS}
