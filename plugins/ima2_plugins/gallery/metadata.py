"""What a picture says of how it was made."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web

TYPES = ("image/png", "image/jpeg", "image/webp")
_HEAD = re.compile(r"data:([a-z0-9.+-]+/[a-z0-9.+-]+)(;[^,;]*)*;base64,", re.IGNORECASE)
_MISSING = "No ima2 metadata found in this image."


def router(ctx: ima2.PluginContext) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["history"])

    @routes.post("/api/metadata/read", summary="Read a picture's metadata")
    async def read(request: Request) -> dict[str, Any]:
        """``dataUrl`` holds the picture. ``metadata`` is ``null`` for one that carries none; nothing is stored."""
        most = ctx.settings.metadata_b64_bytes
        value = (await web.read_json(request, most * 2 + 4096)).get("dataUrl")
        head = _HEAD.match(value) if isinstance(value, str) else None
        if head is None or not isinstance(value, str):
            raise _refused("IMAGE_METADATA_INVALID", 400, "A picture as a base64 data URL is required.")
        if len(value) - head.end() > most:
            raise _refused("IMAGE_METADATA_TOO_LARGE", 413, f"The picture is longer than {most} letters of base64.")
        if head[1].lower() not in TYPES:
            raise _refused("IMAGE_METADATA_UNSUPPORTED_FORMAT", 400, "Only PNG, JPEG and WebP pictures are read.")
        return await asyncio.to_thread(_answer, value)

    return routes


def _answer(value: str) -> dict[str, Any]:
    try:
        data = ima2.decode_media(value).data
    except ima2.MediaError as error:
        raise _refused("IMAGE_METADATA_INVALID", 400, error.text) from None
    metadata, source = ima2.read_metadata(data)
    if metadata is not None:
        return {"ok": True, "metadata": metadata, "source": source, "warnings": []}
    missing = {"ok": True, "metadata": None, "source": None, "code": "IMAGE_METADATA_NOT_FOUND"}
    return {**missing, "warnings": [_MISSING]}


def _refused(code: str, status: int, text: str) -> ima2.Ima2Error:
    return ima2.Ima2Error(code, status, text, details={"ok": False})
