"""A fake of ChatGPT's endpoints for pictures alone: ``/codex/images/generations`` and ``/codex/images/edits``.

Words in the prompt: those of `tests.upstreams.responses_errors`, FREEPLAN (403), NOPICTURE (no data), MULTI<n>, and the
wrappings of a picture. What is used is told in the answer: always ``medium``, as the prompt's ``USEDquality_…`` says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.upstreams.responses_checks import opened
from tests.upstreams.responses_errors import MARKER, trouble
from tests.upstreams.responses_stream import used, wrapped
from tests.upstreams.world import World, base64_picture

USAGE = {"input_tokens": 20, "output_tokens": 1056, "total_tokens": 1076}
_FIELDS = {"prompt", "model", "background", "n", "quality", "size"}
Stranger = Callable[[World, Request], Response | None]


def routes_of(world: World, stranger: Stranger) -> list[Route]:
    """Both endpoints. ``stranger`` answers who is not signed in."""

    async def generations(request: Request) -> Response:
        return await _answer(world, request, stranger, _FIELDS)

    async def edits(request: Request) -> Response:
        return await _answer(world, request, stranger, _FIELDS | {"images"})

    base = "/backend-api/codex/images"
    return [
        Route(f"{base}/generations", generations, methods=["POST"]),
        Route(f"{base}/edits", edits, methods=["POST"]),
    ]


async def _answer(world: World, request: Request, stranger: Stranger, fields: set[str]) -> Response:
    body = await world.note(request)
    if unknown := stranger(world, request):
        return unknown
    if problem := _problem(request, body, fields):
        return JSONResponse({"detail": f"{problem} {MARKER}"}, 400)
    words = body["prompt"]
    await world.wait(words)
    if "FREEPLAN" in words:
        return JSONResponse({"detail": f"Not for this plan. {MARKER}"}, 403)
    if "TOOLGONE" not in words and (bad := trouble(words)):
        return bad
    match = re.search(r"\bMULTI([0-9])", words)
    count = 0 if "NOPICTURE" in words else int(match[1]) if match else 1
    return JSONResponse(
        {
            "created": 1_790_000_000,
            "data": [{"b64_json": wrapped(words, base64_picture(seed=number))} for number in range(count)],
            "background": "opaque",
            "quality": used(words, "quality") or "medium",
            "size": used(words, "size") or body.get("size", "1024x1024"),
            "output_format": "png",
            "usage": USAGE,
        }
    )


def _problem(request: Request, body: dict[str, Any], fields: set[str]) -> str | None:
    if not re.fullmatch(r"[0-9a-f-]{36}", request.headers.get("x-codex-image-turn-id", "")):
        return "x-codex-image-turn-id is missing"
    if unknown := set(body) - fields:
        return f"Unknown fields: {sorted(unknown)}"
    if not body.get("prompt") or body.get("model") != "gpt-image-2":
        return "prompt and model are required"
    if "images" in fields:
        urls = [one.get("image_url", "") for one in body.get("images", [])]
        if not 1 <= len(urls) <= 5 or not all(opened(url) for url in urls):
            return "1 to 5 images"
    return None
