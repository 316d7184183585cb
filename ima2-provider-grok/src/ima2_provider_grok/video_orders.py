"""What is ordered for a clip: the checks, xAI's fields, and the second order when a newer model refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ima2 import Ima2Error, Json, Source, VideoRequest
from ima2_provider_grok import prompts, video_extras, wire
from ima2_provider_grok.canvas import white_canvas
from ima2_provider_grok.catalogue import (
    MAX_REFERENCE_SECONDS,
    MAX_VIDEO_REFERENCES,
    VIDEO,
    VIDEO_MODELS,
    VIDEO_MODES,
    VideoModel,
)

PATHS = {"edit": "videos/edits", "extend": "videos/extensions"}
Pictures = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class VideoOrder:
    """A video order, ready to be sent. ``fallback`` is what the base model would be sent instead."""

    path: str
    body: dict[str, Json] = field(repr=False)
    fallback: dict[str, Json] | None = field(default=None, repr=False)


def with_files(request: VideoRequest) -> VideoRequest:
    """The request with the files of its option ``fileIds`` among its pictures; one of them alone is the start frame."""
    files = wire.file_links(request.options.get("fileIds"))
    if not files or request.mode in PATHS:
        return request
    first: tuple[Source, ...] = () if request.source is None else (request.source,)
    pictures = (*first, *request.references, *files)
    if len(pictures) == 1:
        return replace(request, mode="image", source=pictures[0], references=())
    return replace(request, mode="reference", source=None, references=pictures)


def check(request: VideoRequest, default_model: str) -> str:
    """The model of a request that makes sense; else 400 with the code of what does not."""
    model = _model(request, default_model)
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
    able = VIDEO_MODELS.get(model)
    if able is not None and request.mode not in PATHS:
        _check_resolution(request, model, able)
        video_extras.check(request, model, able)
    return model


def _model(request: VideoRequest, default_model: str) -> str:
    model = request.model or default_model
    allowed = (VIDEO,) if request.mode in PATHS else tuple(VIDEO_MODELS)
    known = model in allowed or (request.any_model and request.mode not in PATHS)
    if not known:
        raise Ima2Error("INVALID_GROK_VIDEO_MODEL", 400, f"model must be one of: {', '.join(allowed)}")
    return model


def _check_resolution(request: VideoRequest, model: str, able: VideoModel) -> None:
    allowed = able.reference_resolutions if request.mode == "reference" else able.resolutions
    if request.resolution not in allowed:
        what = "clips from several pictures" if request.mode == "reference" else "clips"
        text = f"{model} makes {what} in {' or '.join(allowed)}, not in {request.resolution}."
        raise Ima2Error("INVALID_VIDEO_RESOLUTION", 400, text)


def duration_of(request: VideoRequest) -> int:
    """Seconds that will be ordered: from several references xAI makes no more than ten."""
    return min(request.duration, MAX_REFERENCE_SECONDS) if request.mode == "reference" else request.duration


def shape_of(request: VideoRequest) -> dict[str, Json]:
    """Duration, resolution and ratio as xAI's fields. The ratio ``auto`` is left out."""
    shape: dict[str, Json] = {"duration": duration_of(request), "resolution": request.resolution}
    if request.aspect_ratio != "auto":
        shape["aspect_ratio"] = request.aspect_ratio
    return shape


async def pictures_of(request: VideoRequest) -> list[dict[str, str]]:
    """The start frame, or the references, as xAI's objects."""
    if request.mode == "reference":
        return await wire.references(request.references)
    return [await wire.reference(request.source)] if request.mode == "image" and request.source else []


async def generation(request: VideoRequest, model: str, prompt: str, pictures: Pictures) -> VideoOrder:
    """The order of a new clip.

    A model that cannot begin without a picture gets a white canvas, and is told so. If a newer model refuses the order
    altogether, the base model is sent it, unless it lacks what was asked for.
    """
    body: dict[str, Json] = {"model": model, "prompt": prompt, **shape_of(request)}
    if request.mode == "reference":
        body["reference_images"] = [dict(one) for one in pictures]
    elif pictures:
        body["image"] = dict(pictures[0])
    extras = video_extras.fields(request)
    fallback = {**body, "model": VIDEO}
    body.update(extras)
    if model == VIDEO:
        return VideoOrder("videos/generations", body)
    able = VIDEO_MODELS.get(model)
    if request.mode == "text" and able is not None and able.needs_picture:
        blank = await asyncio.to_thread(white_canvas, request.resolution, request.aspect_ratio)
        body = {**body, "prompt": prompts.CANVAS_NOTE + prompt, "image": await wire.reference(blank)}
    base_can = not extras and request.resolution in VIDEO_MODELS[VIDEO].resolutions
    return VideoOrder("videos/generations", body, fallback if base_can else None)


async def change(request: VideoRequest, model: str) -> VideoOrder:
    """The order of an edit or extension of a clip, in the user's own words."""
    if request.clip is None:
        raise Ima2Error("GROK_VIDEO_INVALID_MODE", 400, "There is no clip to work on.")
    body: dict[str, Json] = {"model": model, "prompt": request.prompt, "video": await wire.reference(request.clip)}
    if request.mode == "extend":
        body["duration"] = request.duration
    return VideoOrder(PATHS[request.mode], body)


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
