"""What is sent and read, held against xAI's own published types, so that a drift shows.

Needs the extra ``wire`` (the package xai-sdk); without it these tests are skipped and say so.
"""

from __future__ import annotations

from typing import Any, get_args

import pytest
from tests.upstreams import xai, xai_clips
from tests.upstreams.asking import KITE, draw
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_grok.exchange import ticks
from ima2_provider_grok.images import picture_in
from ima2_provider_grok.polls import finished_clip

WHY = "xai-sdk is not installed (the extra `wire`): xAI's types are not compared"
image_types: Any = pytest.importorskip("xai_sdk.types.image", reason=WHY)
model_types: Any = pytest.importorskip("xai_sdk.types.model", reason=WHY)
video_types: Any = pytest.importorskip("xai_sdk.types.video", reason=WHY)
protocol: Any = pytest.importorskip("xai_sdk.proto", reason=WHY)
json_format: Any = pytest.importorskip("google.protobuf.json_format", reason=WHY)
image_pb2, usage_pb2, video_pb2 = protocol.image_pb2, protocol.usage_pb2, protocol.video_pb2

PNG = ima2.Picture(picture(), "image/png")
CLIP = ima2.Picture(xai_clips.CLIP, "video/mp4")
LATER = {"21:9", "5:2"}
"""Ratios that the documentation of 2.0 names and the SDK does not have yet."""
IMAGES: list[dict[str, Any]] = [
    {},
    {"size": "grok:19.5:9:2k"},
    {"size": "auto", "references": (PNG,)},
    {"references": (PNG, ima2.Link("https://imgen.x.ai/a.jpeg"), PNG)},
    {"source": PNG, "plain": True},
    {"model": xai.SECOND, "quality": "low", "references": (PNG,) * 5},
    {"model": xai.SECOND, "quality": "medium", "size": "grok:21:9:1k"},
    {"model": xai.SECOND, "quality": "auto", "options": {"fileIds": "file_a file_b"}},
    {"quality": "high"},
]
EXTRAS = {
    "lastFrame": "file_end",
    "keyframes": [{"image": "file_mid", "timestamp": 2.5}, {"image": "https://imgen.x.ai/a.png", "timestamp": 3}],
    "voices": [{"voiceId": "ara"}],
    "sound": "on",
}
CLIPS: list[dict[str, Any]] = [
    {"aspect_ratio": "16:9", "resolution": "720p"},
    {"mode": "image", "source": PNG},
    {"mode": "reference", "references": (PNG, PNG), "options": {"fileIds": "file_a"}},
    {"model": xai_clips.PREVIEW},
    {"model": xai_clips.GENERAL, "resolution": "1080p", "options": EXTRAS},
    {"mode": "edit", "clip": CLIP},
    {"mode": "extend", "clip": ima2.Link("file_clip"), "duration": 4},
]


def content(value: dict[str, Any]) -> dict[str, Any]:
    """A picture of the JSON interface as the message of it."""
    return {"file_id": value["file_id"]} if "file_id" in value else {"image_url": value["url"]}


def enum(prefix: str, value: str) -> str:
    """A value of the JSON interface as the name of an enumeration."""
    return f"{prefix}_{value.upper().replace(':', '_').replace('.', '_')}"


def image_message(body: dict[str, Any]) -> Any:
    """The body of an image call as xAI's message. Raises for a field or value that it has not."""
    assert body["aspect_ratio"] in {*get_args(image_types.ImageAspectRatio), "auto"} | LATER
    assert body.get("quality", "low") in get_args(image_types.ImageQuality)
    found = {**body, "format": enum("IMG_FORMAT", body["response_format"])}
    del found["response_format"]
    if found.pop("aspect_ratio") not in LATER:
        found["aspect_ratio"] = enum("IMG_ASPECT_RATIO", body["aspect_ratio"])
    if "resolution" in body:
        found["resolution"] = enum("IMG_RESOLUTION", body["resolution"])
    if "quality" in body:
        found["quality"] = enum("IMG_QUALITY", body["quality"])
    if "image" in body:
        found["image"] = content(body["image"])
    found["images"] = [content(one) for one in body.get("images", [])]
    return json_format.ParseDict(found, image_pb2.GenerateImageRequest())


def video_message(path: str, body: dict[str, Any]) -> Any:
    """The body of a video order as xAI's message."""
    found = dict(body)
    for name, prefix in (("aspect_ratio", "VIDEO_ASPECT_RATIO"), ("resolution", "VIDEO_RESOLUTION")):
        if name in body:
            found[name] = enum(prefix, body[name])
    for name in ("image", "last_frame"):
        if name in body:
            found[name] = content(body[name])
    for name in ("reference_images",):
        found[name] = [content(one) for one in body.get(name, [])]
    found["keyframes"] = [{**one, "image": content(one["image"])} for one in body.get("keyframes", [])]
    if path.endswith("extensions"):
        assert not found.pop("reference_images")
        assert not found.pop("keyframes")
        return json_format.ParseDict(found, video_pb2.ExtendVideoRequest())
    return json_format.ParseDict(found, video_pb2.GenerateVideoRequest())


@pytest.mark.parametrize("fields", IMAGES)
async def test_every_image_call_is_one_that_xais_own_types_can_make(
    api: Any, world: World, fields: dict[str, Any]
) -> None:
    await draw(api(), **fields)
    body = world.calls("images/")[0].body
    message = image_message(body)
    assert (message.model, message.prompt, message.n) == (body["model"], body["prompt"], 1)
    assert body["model"] in get_args(model_types.ImageGenerationModel)


@pytest.mark.parametrize("fields", CLIPS)
async def test_every_video_order_is_one_that_xais_own_types_can_make(
    api: Any, world: World, fields: dict[str, Any]
) -> None:
    request = ima2.VideoRequest(KITE, "grok-api", **fields)
    [update async for update in api().videos(request, ima2.Job("job-1"))]
    (call,) = [one for one in world.calls("videos/") if one.method == "POST"]
    message = video_message(call.path, call.body)
    assert message.duration == call.body.get("duration", 0)
    assert call.body.get("resolution", "480p") in get_args(video_types.VideoResolution)


def test_a_picture_in_xais_own_shape_is_read() -> None:
    usage = usage_pb2.SamplingUsage(cost_in_usd_ticks=400_000_000)
    drawn = image_pb2.GeneratedImage(base64="data:image/jpeg;base64,AAAA", respect_moderation=True)
    answer = as_json(image_pb2.ImageResponse(images=[drawn], model=xai.SECOND, usage=usage))
    answer["data"] = [{"b64_json": one["base64"], **one} for one in answer.pop("images")]
    item, more = picture_in(answer)
    assert (item["b64_json"], more, ticks(answer)) == ("data:image/jpeg;base64,AAAA", 0, 400_000_000)
    held = as_json(image_pb2.ImageResponse(images=[image_pb2.GeneratedImage(respect_moderation=False)]))
    with pytest.raises(ima2.Ima2Error) as caught:
        picture_in({"data": [{"respect_moderation": False, **held["images"][0]}]})
    assert caught.value.code == "SAFETY_REFUSAL"


def test_a_clip_in_xais_own_shape_is_read() -> None:
    made = video_pb2.GeneratedVideo(url="https://vidgen.x.ai/a.mp4", duration=6, respect_moderation=True)
    answer = as_json(video_pb2.VideoResponse(video=made, model=xai_clips.GENERAL, progress=100))
    clip = finished_clip({"status": "done", **answer})
    assert (clip.url, clip.seconds, clip.model) == ("https://vidgen.x.ai/a.mp4", 6, xai_clips.GENERAL)
    problem = video_pb2.VideoError(code="invalid_argument", message="no")
    with pytest.raises(ima2.Ima2Error) as caught:
        finished_clip({"status": "failed", **as_json(video_pb2.VideoResponse(error=problem))})
    assert (caught.value.code, caught.value.status) == ("GROK_VIDEO_REQUEST_FAILED", 400)


def as_json(message: Any) -> dict[str, Any]:
    """A message with the names and numbers that the JSON interface has."""
    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    if "cost_in_usd_ticks" in found.get("usage", {}):
        found["usage"]["cost_in_usd_ticks"] = int(found["usage"]["cost_in_usd_ticks"])
    return found
