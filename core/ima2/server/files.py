"""``/generated/*``: the gallery's media and thumbnails. Everything else in that folder is private."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from ima2.keys import is_key
from ima2.library.names import CHANGING, extension_of, url_of
from ima2.media.sniff import MEDIA_TYPES
from ima2.server import examples
from ima2.server.access import runtime_of
from ima2.server.ranges import part_of

router = APIRouter(include_in_schema=True, tags=["files"])


@router.api_route(
    "/generated/{key:path}",
    methods=["GET", "HEAD"],
    summary="A picture, clip or thumbnail",
    responses=examples.FILE,
    response_model=None,
)
async def generated(request: Request, key: str) -> Response:
    """The bytes, cacheable for ever, in ranges if asked. Sidecars, hidden names and anything that is no media are
    404."""
    runtime = runtime_of(request)
    if key.lower().endswith(".json"):
        return PlainTextResponse("Generated metadata is not public", 404)
    media_type = MEDIA_TYPES.get(extension_of(key))
    if media_type is None or not is_key(key):
        return _missing()
    storage = runtime.library.storage
    try:
        stored = await storage.stat(key)
    except KeyError:
        return _missing()
    headers = {"Cache-Control": _cache(key, runtime.settings.static_max_age)}
    path = storage.local_path(key)
    if path is not None:
        return FileResponse(path, media_type=media_type, headers=headers)
    part = part_of(stored, request.headers)
    headers |= part.headers
    if request.method == "HEAD" or part.status in {304, 416}:
        return Response(None, part.status, headers, media_type)
    return StreamingResponse(storage.stream(key, part.start, part.end), part.status, headers, media_type)


@router.get(
    "/api/spool/{name}",
    summary="A picture that could not be saved",
    responses=examples.FILE,
    response_model=None,
)
async def spooled(request: Request, name: str) -> Response:
    """What was made and paid for when the gallery could not be written to. Once the gallery has it: the way there."""
    library = runtime_of(request).library
    found = await library.spooled(name)
    if isinstance(found, Path):
        try:
            data = await asyncio.to_thread(found.read_bytes)
        except FileNotFoundError:  # it went into the gallery in this very moment
            found = await library.spooled(name)
        else:
            media_type = MEDIA_TYPES.get(extension_of(name), "application/octet-stream")
            return Response(data, media_type=media_type, headers={"Cache-Control": "no-store"})
    return RedirectResponse(url_of(found), 307) if isinstance(found, str) else _missing()


def _cache(key: str, max_age: int) -> str:
    """Names are never used twice, but a canvas version may change in place."""
    return "no-cache" if key.rpartition("/")[2].startswith(CHANGING) else f"public, max-age={max_age}, immutable"


def _missing() -> Response:
    return PlainTextResponse("Not found", 404)
