"""Canvas versions: a picture with what was drawn on it, beside the one it was drawn on, and changed in place."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.canvas import examples
from ima2_plugins.canvas.settings import CanvasSettings

PREFIX = "canvas-"
LONGEST_BASE, LONGEST_PROMPT = 80, 32_000
_NAME = re.compile(r"canvas-[A-Za-z0-9._-]+\.png")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def version_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes over a library."""
    router = APIRouter(tags=["canvas"])

    @router.post(
        "/api/canvas-versions",
        summary="Keep a canvas version",
        status_code=201,
        responses=examples.CREATED,
        openapi_extra=examples.PICTURE,
    )
    async def create(request: Request) -> web.Json:
        """The body is a PNG. ``sourceFilename`` (or ``X-Ima2-Canvas-Source-Filename``) names the picture under it,
        ``X-Ima2-Canvas-Prompt`` its words; both headers may be percent-encoded."""
        picture = await _picture(request, ctx.settings)
        source = _source(request)
        if source is None:
            raise ima2.Ima2Error("CANVAS_SOURCE_REQUIRED", 400, "sourceFilename is required.")
        name = _new_name(source)
        facts = facts_of(f"{name}.png", source, _prompt(request), await _known(ctx.library, source), {})
        kept = await ctx.library.add(picture, facts, name=name)
        if kept.key != facts["canvas_editable_filename"]:  # somebody else took that very name
            facts["canvas_editable_filename"] = kept.key
            await ctx.library.amend(kept.key, {"canvas_editable_filename": kept.key})
        return web.Json({"item": _item(kept, facts)}, 201)

    @router.put(
        "/api/canvas-versions/{filename:path}",
        summary="Change a canvas version",
        responses=examples.UPDATED,
        openapi_extra=examples.PICTURE,
    )
    async def update(request: Request, filename: str) -> web.Json:
        """Takes the place of the file and of what is known of it. Source and words stay where none are given."""
        if not _NAME.fullmatch(filename) or ".." in filename or not ima2.is_key(filename):
            text = "That is no name of a canvas version."
            raise ima2.Ima2Error("INVALID_CANVAS_VERSION_FILENAME", 400, text)
        picture = await _picture(request, ctx.settings)
        try:
            before = (await ctx.library.get(filename)).facts
            source = _source(request) or _text(before.get("canvas_source_filename"))
            below = await _known(ctx.library, source)
            facts = facts_of(filename, source, _prompt(request), below, before)
            kept = await ctx.library.replace(filename, picture, facts)
        except KeyError:
            raise ima2.Ima2Error("CANVAS_VERSION_NOT_FOUND", 404, "There is no such canvas version.") from None
        return web.Json({"item": _item(kept, facts)})

    return router


def facts_of(
    key: str, source: str | None, prompt: str | None, below: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """What is known of a version: from the call, else from the picture below it, else from the version before."""
    now = int(time.time() * 1000)
    sources = (below.get("user_prompt"), below.get("prompt"), before.get("user_prompt"), before.get("prompt"))
    words = prompt or next((text for one in sources if (text := _text(one))), None)
    return {
        "schema": "ima2.generation.v1",
        "app": "ima2-gen",
        "version": ima2.VERSION,
        "created_at": before.get("created_at") or now,
        "kind": "edit",
        "provider": "canvas",
        "format": "png",
        "prompt": words,
        "user_prompt": words,
        "prompt_mode": below.get("prompt_mode") or before.get("prompt_mode") or "direct",
        "canvas_version": True,
        "canvas_merged_at": now,
        "canvas_source_filename": source,
        "canvas_editable_filename": key,
        **{name: value for name in ("session_id",) if (value := below.get(name) or before.get(name))},
    }


def _item(kept: ima2.Kept, facts: Mapping[str, Any]) -> dict[str, Any]:
    prompt = {"prompt": facts["prompt"]} if facts["prompt"] else {}
    empty = dict.fromkeys(("revisedPrompt", "quality", "size", "moderation", "model", "usage"))
    return {
        **empty,
        **prompt,
        "image": kept.url,
        "url": kept.url,
        "thumb": kept.url,
        "filename": kept.key,
        "userPrompt": facts["user_prompt"],
        "promptMode": facts["prompt_mode"],
        "provider": facts["provider"],
        "format": facts["format"],
        "createdAt": facts["created_at"],
        "kind": facts["kind"],
        "canvasMergedAt": facts["canvas_merged_at"],
        "canvasVersion": True,
        "canvasSourceFilename": facts["canvas_source_filename"],
        "canvasEditableFilename": facts["canvas_editable_filename"],
        **({"warnings": [notice.text for notice in kept.warnings]} if kept.warnings else {}),
    }


async def _picture(request: Request, settings: CanvasSettings) -> ima2.Picture:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    data = await web.read_body(request, settings.version_bytes)
    if not data or kind != "image/png":
        raise ima2.Ima2Error("EMPTY_CANVAS_VERSION", 400, "The body must be a PNG picture.")
    try:
        picture = await asyncio.to_thread(ima2.decode_media, data)
    except ima2.MediaError as error:
        raise ima2.Ima2Error("CANVAS_VERSION_NOT_PNG", 400, f"The body is no PNG picture. {error.text}") from None
    if picture.media_type != "image/png" or picture.data is not data:
        raise ima2.Ima2Error("CANVAS_VERSION_NOT_PNG", 400, "The body must be a PNG picture.")
    return picture


def _source(request: Request) -> str | None:
    """The name of the picture below. 400 ``INVALID_CANVAS_SOURCE`` for what can be no name of one."""
    name = request.query_params.get("sourceFilename", "").strip()
    name = name or _decoded(request.headers.get("x-ima2-canvas-source-filename", ""))
    if name and not ima2.is_key(name):
        raise ima2.Ima2Error("INVALID_CANVAS_SOURCE", 400, "sourceFilename is no name of a file in the gallery.")
    return name or None


def _prompt(request: Request) -> str | None:
    text = _CONTROL.sub(" ", _decoded(request.headers.get("x-ima2-canvas-prompt", "")))
    return text[:LONGEST_PROMPT] or None


def _decoded(header: str) -> str:
    """A header as it was meant: percent-encoded, UTF-8, or as it stands."""
    with suppress(UnicodeError):
        header = header.encode("latin-1").decode()
    try:
        return unquote(header, errors="strict").strip()
    except UnicodeError:
        return header.strip()


def _new_name(source: str) -> str:
    stem = source.rpartition("/")[2]
    stem = stem.rpartition(".")[0] or stem
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[:LONGEST_BASE] or "image"
    return f"{PREFIX}{base}-{time.strftime('%Y%m%d%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


async def _known(library: ima2.Library, key: str | None) -> Mapping[str, Any]:
    """What is known of the picture below; nothing of one that is not there."""
    if not key or not ima2.is_key(key):
        return {}
    try:
        return (await library.get(key)).facts
    except KeyError:
        return {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
