"""``/generated/*``: the gallery's media and thumbnails. Everything else in that folder is private."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse

from ima2.keys import is_key
from ima2.library.rows import extension_of
from ima2.media.sniff import MEDIA_TYPES
from ima2.server import examples
from ima2.server.access import runtime_of

router = APIRouter(include_in_schema=True, tags=["files"])
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


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
    start, end = _span(request.headers.get("range", ""), stored.size)
    headers |= {"Accept-Ranges": "bytes", "Content-Length": str(end - start)}
    partial = (start, end) != (0, stored.size)
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{stored.size}"
    if request.method == "HEAD":
        return Response(headers=headers, media_type=media_type)
    return StreamingResponse(storage.stream(key, start, end), 206 if partial else 200, headers, media_type)


def _cache(key: str, max_age: int) -> str:
    """Names are never used twice, but a canvas version may change in place."""
    return "no-cache" if key.rpartition("/")[2].startswith("canvas-") else f"public, max-age={max_age}, immutable"


def _span(header: str, size: int) -> tuple[int, int]:
    """The bytes a single-range header asks for; the whole object for anything else."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    return (start, end) if start < end else (0, size)


def _missing() -> Response:
    return PlainTextResponse("Not found", 404)
