"""The video half of the xAI fake.

Words in the prompt: ``order:`` no15 (a 400 for any model but the base one), noid, and what `tests.upstreams.xai` lists;
``clip:`` failed_<code>, expired, nourl, blocked, blockedurl, forever, stuck, once503, poll404, poll429, poll503, hangs,
and for the file itself wrongtype, notmp4, octet, s3type, half, late, announced, streamed.

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
GENERAL, LITE = "grok-imagine-video-1.5", "grok-imagine-video-1.5-lite"
VIDEO_COST = 3_000_000_000
CLIP = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x10moov" + bytes(8) + b"\0\0\x07\xd0mdat" + bytes(1992)
"""As an MP4 is built: whole boxes, the index before the media."""
_RATIOS = {"1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3"}


def order_fault(path: str, body: dict[str, Any]) -> Response | None:
    """What xAI has against the fields of a video order."""
    change = not path.endswith("generations")
    shape = {"duration", "resolution", "aspect_ratio", "image", "reference_images"}
    extras = {"last_frame", "keyframes", "reference_audios", "generate_audio"} if body.get("model") != BASE else set()
    extension = {"video", "duration"} if path.endswith("extensions") else {"video"}
    if set(body) - {"model", "prompt"} - (extension if change else shape | extras):
        return xai.error(422, "unknown field")
    references = body.get("reference_images", [])
    frames = [one.get("image") for one in body.get("keyframes", [])]
    pictures = [body[name] for name in ("image", "video", "last_frame") if name in body] + references + frames
    if not all(xai.is_picture(one) for one in pictures) or "model" not in body or not body.get("prompt"):
        return xai.error(422, "types")
    if change and (body["model"] != BASE or "video" not in body):
        return xai.error(400, "change")
    if body["model"] == PREVIEW and ("image" not in body or references):
        return xai.error(400, "this one begins with one image")
    return None if _is_good(body, change, len(references)) else xai.error(400, "fields")


def _is_good(body: dict[str, Any], change: bool, references: int) -> bool:
    low, high = (2, 10) if change else (1, 10 if references else 15)
    largest = body["model"] == GENERAL and not references
    stops = [one.get("timestamp_s") for one in body.get("keyframes", [])]
    return (
        body["model"] in (BASE, PREVIEW, GENERAL, LITE)
        and ("duration" not in body or (isinstance(body["duration"], int) and low <= body["duration"] <= high))
        and (change or body.get("resolution") in ("480p", "720p", *(("1080p",) if largest else ())))
        and body.get("aspect_ratio", "1:1") in _RATIOS
        and references <= 7
        and not ("image" in body and references)
        and all(0 < stop < body["duration"] for stop in stops)
        and isinstance(body.get("generate_audio", True), bool)
        and all(one.get("voice_id") for one in body.get("reference_audios", []))
    )


def routes(world: World, base: str) -> list[Route]:
    """Orders, polls and files of clips. ``state["xai.clips"]`` remembers each job's words and polls."""
    jobs: dict[str, dict[str, Any]] = world.state.setdefault("xai.clips", {})

    async def order(request: Request) -> Response:
        body = await world.note(request)
        text = body.get("prompt", "")
        if bad := await xai.trouble(request, world, "order", text):
            return bad
        if bad := xai.gone(world, body.get("model")):
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
        kind, number = request.path_params["kind"], request.path_params["number"]
        if kind == "late" and len(world.calls(f"late/{number}")) < 3:
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404)
        return _clip(kind)

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
    kinds = words & {"wrongtype", "notmp4", "octet", "s3type", "half", "late", "announced", "streamed"} or {"ok"}
    url = f"{world.base_url}/xai-media/{min(kinds)}/{number.removeprefix('vid-')}.mp4"
    video = {"url": url, "duration": job["duration"], "respect_moderation": not words & {"blocked", "blockedurl"}}
    if words & {"blocked", "nourl"}:
        del video["url"]
    usage = {"cost_in_usd_ticks": VIDEO_COST}
    model = xai.served(world, job["model"])
    return JSONResponse({"status": "done", "progress": 100, "model": model, "video": video, "usage": usage})


def _clip(kind: str) -> Response:
    types = {"wrongtype": "text/html", "octet": "application/octet-stream", "s3type": "binary/octet-stream"}
    headers = {"content-type": types.get(kind, "video/mp4")}
    if kind in ("announced", "streamed"):
        if kind == "announced":
            headers["content-length"] = str(110 << 20)
        return StreamingResponse(_endless(), headers=headers)
    data = {"notmp4": bytes(4000), "half": CLIP[: len(CLIP) // 2]}.get(kind, CLIP)
    return Response(data, headers=headers)


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(110):
        yield CLIP[:32] + bytes((1 << 20) - 32)


def data_url_of(url: str) -> bytes:
    """The bytes of a ``data:`` URL."""
    return base64.b64decode(url.partition(";base64,")[2], validate=True)
