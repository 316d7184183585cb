"""Bringing pictures in, and making the thumbnails that are missing."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Request

import ima2
from ima2 import web

TYPES = ("image/png", "image/jpeg", "image/webp")
_LONGEST_NAME = 200
_MOST_FAILURES = 20
_UNKNOWN = (
    "canvasSourceFilename canvasEditableFilename prompt userPrompt revisedPrompt promptMode quality size model "
    "provider usage sessionId nodeId parentNodeId"
).split()
"""Fields of a row that nothing is known of."""


def router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes over one library."""
    routes = APIRouter(tags=["history"])

    @routes.post("/api/history/import-local", summary="Bring a picture into the gallery", status_code=201)
    async def import_local(request: Request) -> web.Json:
        """The body is the picture itself: PNG, JPEG or WebP, told by its bytes. ``X-Ima2-Original-Filename`` says how
        it was called."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        data = await web.read_body(request, ctx.settings.import_bytes)
        if not data or kind not in TYPES:
            raise ima2.Ima2Error("EMPTY_IMPORT", 400, "The body must be a PNG, JPEG or WebP picture.")
        kept = await ctx.library.add(
            await asyncio.to_thread(_picture, data),
            facts := _facts(data, request.headers.get("x-ima2-original-filename", "")),
            name=time.strftime("imported-%Y%m%d%H%M%S-", time.gmtime()) + secrets.token_hex(3),
        )
        return web.Json({"item": _item(kept, facts), "warnings": [notice.text for notice in kept.warnings]}, 201)

    @routes.post("/api/history/backfill-thumbnails", summary="Make thumbnails that are missing")
    async def backfill() -> dict[str, Any]:
        """Looks at all files first. ``failures`` names the first twenty that could not be done, and why."""
        report = await ctx.library.make_thumbnails()
        first = report.failures[:_MOST_FAILURES]
        return {
            "ok": True,
            "total": report.total,
            "created": report.created,
            "skipped": report.skipped,
            "failed": len(report.failures),
            "failures": [{"file": key, "kind": kind, "reason": reason} for key, kind, reason in first],
        }

    return routes


def _picture(data: bytes) -> ima2.Picture:
    try:
        picture = ima2.decode_media(data)
    except ima2.MediaError as error:
        raise ima2.Ima2Error("IMPORT_BAD_FORMAT", 400, f"The file was not taken. {error.text}") from None
    if picture.media_type not in TYPES or picture.data is not data:
        raise ima2.Ima2Error("IMPORT_BAD_FORMAT", 400, "Only PNG, JPEG and WebP pictures can be brought in.")
    return picture


def _facts(data: bytes, name: str) -> dict[str, Any]:
    """What the sidecar says of a picture that came from elsewhere."""
    base = unquote(name).replace("\\", "/").rpartition("/")[2][:_LONGEST_NAME]
    return {
        "schema": "ima2.generation.v1",
        "app": "ima2-gen",
        "version": ima2.VERSION,
        "created_at": int(time.time() * 1000),
        "kind": "imported",
        "canvas_version": False,
        "original_filename": "".join(letter for letter in base if letter.isprintable()) or None,
        "format": (ima2.media_type_of(data) or "/").partition("/")[2],
    }


def _item(kept: ima2.Kept, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        **dict.fromkeys(_UNKNOWN),
        "filename": kept.key,
        "url": kept.url,
        "image": kept.url,
        "thumb": kept.url,
        "createdAt": facts["created_at"],
        "format": facts["format"],
        "kind": "imported",
        "canvasVersion": False,
        "webSearchCalls": 0,
        "refsCount": 0,
        "isFavorite": False,
    }
