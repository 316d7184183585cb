"""``POST /api/comfy/export-image``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.comfy.upload import filename_of, invalid, origin_of, read_picture, upload

if TYPE_CHECKING:
    from ima2_plugins.comfy.settings import ComfySettings

_SENT = {"ok": True, "sourceFilename": "a.png", "uploadedFilename": "ima2_1_a.png"}
_MISSING = {"ok": False, "error": {"code": "COMFY_IMAGE_NOT_FOUND", "message": "There is no such picture."}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "How ComfyUI called it", "content": {"application/json": {"example": _SENT}}},
    404: {"description": "No such picture", "content": {"application/json": {"example": _MISSING}}},
}
BODY: dict[str, Any] = {
    "requestBody": {
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"filename": "a.png"}}},
    },
}
_BODY_CODES = frozenset({"INVALID_BODY", "INVALID_JSON", "UNSUPPORTED_MEDIA_TYPE"})


def comfy_router(ctx: ima2.PluginContext) -> APIRouter:
    """The route over a library."""
    router = APIRouter(tags=["comfy"])

    @router.post(
        "/api/comfy/export-image", summary="Send a picture to ComfyUI", responses=RESPONSES, openapi_extra=BODY
    )
    async def export(request: Request) -> web.Json:
        """``filename`` of a picture at the top of the gallery, and nothing else. Answers how ComfyUI called it."""
        try:
            name, given = await _export(ctx, request)
        except ima2.Ima2Error as error:
            return web.failure(error, {"ok": False, "error": {"code": error.code, "message": error.text}})
        return web.Json({"ok": True, "sourceFilename": name, "uploadedFilename": given})

    return router


async def _export(ctx: ima2.PluginContext, request: Request) -> tuple[str, str]:
    settings: ComfySettings = ctx.settings
    try:
        fields = await web.read_json(request)
    except ima2.Ima2Error as error:
        raise (invalid(error.text) if error.code in _BODY_CODES else error) from None
    name = filename_of(fields)
    origin_of(settings.url)
    picture = await read_picture(ctx.library.storage, name, settings.max_upload_bytes)
    return name, await upload(ctx.http(), settings, name, picture)
