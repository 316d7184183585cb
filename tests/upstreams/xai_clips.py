"""The video half of the xAI fake.

Words in the prompt: ``order:`` no15 (a 400 for any model but the base one), noid, and what `tests.upstreams.xai` lists;
``clip:`` failed_<code>, expired, nourl, blocked, blockedurl, forever, stuck, once503, poll404, poll429, poll503, hangs,
and for the file itself wrongtype, notmp4, octet, announced, streamed.

``state["xai.polls"]`` may hold the answers of the polls to come as ``(status, body)``.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.upstreams import xai
from tests.upstreams.world import World

BASE, PREVIEW = "grok-imagine-video", "grok-imagine-video-1.5-preview"
VIDEO_COST = 3_000_000_000
CLIP = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(2000)
_RATIOS = {"1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3"}


def order_fault(path: str, body: dict[str, Any]) -> Response | None:
    """What xAI has against the fields of a video order."""
    change = not path.endswith("generations")
    shape = {"duration", "resolution", "aspect_ratio", "image", "reference_images"}
    extension = {"video", "duration"} if path.endswith("extensions") else {"video"}
    if set(body) - {"model", "prompt"} - (extension if change else shape):
        return xai.error(422, "unknown field")
    references = body.get("reference_images", [])
    objects = [body.get("image", {}), body.get("video", {}), *references]
    if not all(isinstance(one, dict) for one in objects) or "model" not in body or not body.get("prompt"):
        return xai.error(422, "types")
    if change and (body["model"] != BASE or not (body.get("video", {}).get("url") or body["video"].get("file_id"))):
        return xai.error(400, "change")
    if body["model"] == PREVIEW and ("image" not in body or references):
        return xai.error(400, "this model begins with one image")
    low, high = (2, 10) if change else (1, 10 if references else 15)
    good = (
        body["model"] in (BASE, PREVIEW)
        and ("duration" not in body or (isinstance(body["duration"], int) and low <= body["duration"] <= high))
        and (change or body.get("resolution") in ("480p", "720p"))
        and body.get("aspect_ratio", "1:1") in _RATIOS
        and len(references) <= 7
        and not ("image" in body and references)
    )
    return None if good else xai.error(400, "fields")


def routes(world: World, base: str) -> list[Route]:
    """Orders, polls and files of clips. ``state["xai.clips"]`` remembers each job's words and polls."""
    jobs: dict[str, dict[str, Any]] = world.state.setdefault("xai.clips", {})

    async def order(request: Request) -> Response:
        body = await world.note(request)
        text = body.get("prompt", "")
        if bad := await xai.trouble(request, world, "order", text):
            return bad
        if "no15" in xai.asked(text, "order") and body["model"] != BASE:
            return xai.error(400, "this model does not take that")
        if fault := order_fault(request.url.path, body):
            return fault
        if "noid" in xai.asked(text, "order"):
            return JSONResponse({})
        number = f"vid-{len(jobs) + 1}"
        jobs[number] = {"text": text, "polls": 0, "model": body["model"], "duration": body.get("duration", 5)}
        return JSONResponse({"request_id": number})

    async def poll(request: Request) -> Response:
        await world.note(request)
        job = jobs.get(request.path_params["number"])
        bad = xai.refused(request, world)
        if bad or job is None:
            return bad or xai.error(404)
        job["polls"] += 1
        if script := world.state.get("xai.polls"):
            status, answer = script.pop(0)
            return JSONResponse(answer, status)
        return await _state(world, job, request.path_params["number"])

    async def file(request: Request) -> Response:
        await world.note(request)
        if "authorization" in request.headers:
            return Response("credentials do not belong here", 400)
        return _clip(request.path_params["kind"])

    return [
        Route(f"{base}/videos/generations", order, methods=["POST"]),
        Route(f"{base}/videos/edits", order, methods=["POST"]),
        Route(f"{base}/videos/extensions", order, methods=["POST"]),
        Route(f"{base}/videos/{{number}}", poll),
        Route("/xai-media/{kind}/{number}.mp4", file),
    ]


async def _state(world: World, job: dict[str, Any], number: str) -> Response:
    words = xai.asked(job["text"], "clip")
    status = next((int(word[4:]) for word in words if re.fullmatch(r"poll\d{3}", word)), None)
    if status or ("once503" in words and job["polls"] == 2):
        return xai.error(status or 503)
    if "hangs" in words:
        await asyncio.sleep(3600)
    if "stuck" in words or "forever" in words or job["polls"] < 3:
        percent = 10 if "stuck" in words else min(90, 30 * job["polls"])
        return JSONResponse({"status": "pending", "progress": percent, "model": job["model"]}, 202)
    for word in words:
        if word.startswith("failed"):
            return JSONResponse({"status": "failed", "error": {"code": word[7:], "message": xai.MARKER}})
    if "expired" in words:
        return JSONResponse({"status": "expired"})
    kinds = words & {"wrongtype", "notmp4", "octet", "announced", "streamed"} or {"ok"}
    url = f"{world.base_url}/xai-media/{min(kinds)}/{number.removeprefix('vid-')}.mp4"
    video = {"url": url, "duration": job["duration"], "respect_moderation": not words & {"blocked", "blockedurl"}}
    if words & {"blocked", "nourl"}:
        del video["url"]
    usage = {"cost_in_usd_ticks": VIDEO_COST}
    return JSONResponse({"status": "done", "progress": 100, "model": job["model"], "video": video, "usage": usage})


def _clip(kind: str) -> Response:
    types = {"wrongtype": "text/html", "octet": "application/octet-stream"}
    headers = {"content-type": types.get(kind, "video/mp4")}
    if kind in ("announced", "streamed"):
        if kind == "announced":
            headers["content-length"] = str(110 << 20)
        return StreamingResponse(_endless(), headers=headers)
    return Response(bytes(4000) if kind == "notmp4" else CLIP, headers=headers)


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(110):
        yield CLIP[:32] + bytes((1 << 20) - 32)


def data_url_of(url: str) -> bytes:
    """The bytes of a ``data:`` URL."""
    return base64.b64decode(url.partition(";base64,")[2], validate=True)
