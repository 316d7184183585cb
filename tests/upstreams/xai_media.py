"""The media host of the xAI fake: temporary addresses of pictures, which take no credential.

Kinds: missing html blank notype mismatch redirect private elsewhere loop announced streamed hang broken503 (once), late
(unknown at first), half (the file ends early); any other is a good JPEG.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.upstreams.world import World, picture


def routes(world: World) -> list[Route]:
    """The files."""

    async def file(request: Request) -> Response:
        await world.note(request)
        if "authorization" in request.headers:
            return Response("credentials do not belong here", 400)
        kind, number = request.path_params["kind"], int(request.path_params["number"])
        return await _file(world, kind, picture(fmt="JPEG", seed=number))

    return [Route("/xai-media/{kind}/{number}.jpeg", file)]


async def _file(world: World, kind: str, data: bytes) -> Response:
    if kind == "hang":
        await asyncio.sleep(3600)
    if kind == "broken503" and not world.state.get("xai.broken"):
        world.state["xai.broken"] = True
        return Response("busy", 503)
    if kind == "late" and len(world.calls("/late/")) < 3:
        return Response("<Error><Code>NoSuchKey</Code></Error>", 404)
    redirects = {
        "redirect": f"{world.base_url}/xai-media/ok/1.jpeg",
        "private": "https://10.0.0.1/secret.jpeg",
        "loop": f"{world.base_url}/xai-media/loop/1.jpeg",
        "elsewhere": "http://media.example/1.jpeg",
    }
    if kind in redirects:
        return RedirectResponse(redirects[kind], 302)
    headers = {"content-type": "text/html" if kind == "mismatch" else "image/jpeg"}
    answers: dict[str, Callable[[], Response]] = {
        "missing": lambda: Response("gone", 404),
        "html": lambda: HTMLResponse("<html>expired</html>"),
        "blank": lambda: Response(b"", headers=headers),
        "notype": lambda: Response(data),
        "half": lambda: Response(data[:-40], headers=headers),
        "announced": lambda: StreamingResponse(_endless(), headers={**headers, "content-length": str(60 << 20)}),
        "streamed": lambda: StreamingResponse(_endless(), headers=headers),
    }
    answer = answers.get(kind)
    return answer() if answer else Response(data, headers=headers)


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(60):
        yield bytes(1 << 20)
