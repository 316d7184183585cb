"""What is ordered for a clip: the checks, xAI's fields, and the second order when a newer model refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ima2 import Ima2Error, Json, VideoRequest
from ima2_provider_grok import prompts, wire
from ima2_provider_grok.canvas import white_canvas
from ima2_provider_grok.capabilities import (
    MAX_REFERENCE_SECONDS,
    MAX_VIDEO_REFERENCES,
    VIDEO,
    VIDEO_MODES,
    VIDEO_PREVIEW,
)

PATHS = {"edit": "videos/edits", "extend": "videos/extensions"}


@dataclass(frozen=True, slots=True)
class Order:
    """A video order, ready to be sent. ``fallback`` is what the base model would be sent instead."""

    path: str
    body: dict[str, Json] = field(repr=False)
    fallback: dict[str, Json] | None = field(default=None, repr=False)


def checked(request: VideoRequest, default_model: str) -> str:
    """The model of a request that makes sense; else 400 with the code of what does not."""
    model = request.model or default_model
    direct = request.mode in PATHS
    if model not in (VIDEO, VIDEO_PREVIEW) or (direct and model != VIDEO):
        known = VIDEO if direct else f"{VIDEO} or {VIDEO_PREVIEW}"
        raise Ima2Error("INVALID_GROK_VIDEO_MODEL", 400, f"Grok makes this kind of clip with {known}.")
    if len(request.references) > MAX_VIDEO_REFERENCES:
        text = f"Grok takes at most {MAX_VIDEO_REFERENCES} pictures for a clip; {len(request.references)} were given."
        raise Ima2Error("GROK_VIDEO_REF_TOO_MANY", 400, text)
    missing = {
        "image": request.source is None,
        "reference": not request.references,
        "edit": request.clip is None,
        "extend": request.clip is None,
    }
    if request.mode not in VIDEO_MODES.modes or missing.get(request.mode):
        text = "This clip lacks the picture or clip it shall start from, or its mode is unknown."
        raise Ima2Error("GROK_VIDEO_INVALID_MODE", 400, text)
    return model


def duration_of(request: VideoRequest) -> int:
    """Seconds that will be ordered: from several references xAI makes no more than ten."""
    return min(request.duration, MAX_REFERENCE_SECONDS) if request.mode == "reference" else request.duration


def shape_of(request: VideoRequest) -> dict[str, Json]:
    """Duration, resolution and ratio as xAI's fields. The ratio ``auto`` is left out."""
    shape: dict[str, Json] = {"duration": duration_of(request), "resolution": request.resolution}
    if request.aspect_ratio != "auto":
        shape["aspect_ratio"] = request.aspect_ratio
    return shape


async def pictures_of(request: VideoRequest) -> list[str]:
    """The start frame, or the references, as URLs."""
    if request.mode == "reference":
        return await wire.addresses(request.references)
    return [await wire.address(request.source)] if request.mode == "image" and request.source else []


async def generation(request: VideoRequest, model: str, prompt: str, pictures: Sequence[str]) -> Order:
    """The order of a new clip.

    The preview model cannot begin without a picture: it gets a white canvas, and is told so. If it refuses the order
    altogether, the base model is sent the original one.
    """
    body: dict[str, Json] = {"model": model, "prompt": prompt, **shape_of(request)}
    if request.mode == "reference":
        body["reference_images"] = [{"url": url} for url in pictures]
    elif pictures:
        body["image"] = {"url": pictures[0]}
    if model == VIDEO:
        return Order("videos/generations", body)
    fallback = {**body, "model": VIDEO}
    if request.mode == "text":
        blank = await asyncio.to_thread(white_canvas, request.resolution, request.aspect_ratio)
        body = {**body, "prompt": prompts.CANVAS_NOTE + prompt, "image": {"url": await wire.address(blank)}}
    return Order("videos/generations", body, fallback)


async def change(request: VideoRequest, model: str) -> Order:
    """The order of an edit or extension of a clip, in the user's own words."""
    if request.clip is None:
        raise Ima2Error("GROK_VIDEO_INVALID_MODE", 400, "There is no clip to work on.")
    body: dict[str, Json] = {"model": model, "prompt": request.prompt, "video": await wire.clip(request.clip)}
    if request.mode == "extend":
        body["duration"] = request.duration
    return Order(PATHS[request.mode], body)


def task_of(request: VideoRequest, model: str, pictures: int, brief: str | None) -> str:
    """What the planner reads."""
    earlier = request.options.get("continuity")
    entries = [one for one in earlier if isinstance(one, Mapping)] if isinstance(earlier, Sequence) else []
    return prompts.video_task(
        prompt=request.prompt,
        parameters={"model": model, "mode": request.mode, **shape_of(request)},
        references=pictures,
        brief=brief,
        continuity=entries,
        storyboard=request.options.get("storyboard") is True,
    )
