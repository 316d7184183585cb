"""Clips: what is ordered, how it is waited for, and what is told."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from PIL import Image
from tests.upstreams import xai, xai_clips
from tests.upstreams.asking import KITE, all_of, only
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_grok.canvas import canvas_size

PNG = ima2.Picture(picture(), "image/png")
JPEG = ima2.Picture(picture(fmt="JPEG"), "image/jpeg")
CLIP = ima2.Picture(xai_clips.CLIP, "video/mp4")
BASE, PREVIEW = xai_clips.BASE, xai_clips.PREVIEW


async def film(provider: ima2.Provider, prompt: str = KITE, **fields: Any) -> list[ima2.Update]:
    """All updates of one request for a clip."""
    request = ima2.VideoRequest(prompt, provider.id, **fields)
    return [update async for update in provider.videos(request, ima2.Job("job-1"))]


async def test_a_clip_is_searched_planned_ordered_polled_and_collected(api: Any, world: World) -> None:
    updates = await film(api(), duration=6, resolution="720p", aspect_ratio="16:9")
    made = only(updates, ima2.Artifact)
    assert world.calls("videos/generations")[0].body == {
        "model": BASE,
        "prompt": "a planned prompt, precise",
        "duration": 6,
        "resolution": "720p",
        "aspect_ratio": "16:9",
    }
    assert made.picture == CLIP
    assert made.revised_prompt == "a planned prompt, precise"
    assert made.url == f"{world.base_url}/xai-media/ok/1.mp4"
    assert made.model == BASE
    assert made.facts == {
        "xaiVideoRequestId": "vid-1",
        "requestedModel": BASE,
        "effectiveModel": BASE,
        "servedModel": BASE,
        "modelFallback": None,
        "duration": 6,
        "resolution": "720p",
        "aspectRatio": "16:9",
    }
    assert [update.fraction for update in all_of(updates, ima2.Progress)] == [0.3, 0.6]
    assert [phase.name for phase in all_of(updates, ima2.Phase)] == ["planning", "streaming"]
    searched, planned, made_of = all_of(updates, ima2.Usage)
    assert planned == ima2.Usage(cost=0.0012)
    assert searched == ima2.Usage(searches=1, cost=0.0061)
    assert made_of == ima2.Usage({"grok_cost_usd_ticks": xai_clips.VIDEO_COST}, cost=0.3)


async def test_the_receipt_comes_before_the_first_poll(api: Any, world: World) -> None:
    request = ima2.VideoRequest(KITE, "grok-api")
    async for update in api().videos(request, ima2.Job("job-1")):
        if isinstance(update, ima2.Receipt):
            break
    assert update.id == "vid-1"
    assert update.data["revisedPrompt"] == "a planned prompt, precise"
    assert update.facts["xaiVideoRequestId"] == "vid-1"
    assert not world.calls("videos/vid-1")


async def test_a_clip_is_collected_after_a_restart_without_ordering_again(api: Any, world: World) -> None:
    request = ima2.VideoRequest(KITE, "grok-api", aspect_ratio="9:16")
    receipt = only(await film(api(), KITE, aspect_ratio="9:16"), ima2.Receipt)
    world.seen.clear()
    again = [update async for update in api().resume(receipt, request, ima2.Job("job-1"))]
    made = only(again, ima2.Artifact)
    assert made.facts["xaiVideoRequestId"] == "vid-1"
    assert made.facts["aspectRatio"] == "9:16"
    assert made.revised_prompt == "a planned prompt, precise"
    assert {call.method for call in world.seen} == {"GET"}
    job = ima2.Job("job-1", receipt=receipt)
    assert only([update async for update in api().videos(request, job)], ima2.Artifact)
    assert {call.method for call in world.seen} == {"GET"}


async def test_a_start_frame_is_sent_and_shown_to_the_planner(api: Any, world: World) -> None:
    await film(api(), mode="image", source=PNG)
    body = world.calls("videos/generations")[0].body
    assert xai_clips.data_url_of(body["image"]["url"]) == PNG.data
    assert "aspect_ratio" not in body
    content = world.calls("completions")[0].body["messages"][1]["content"]
    assert [part["type"] for part in content] == ["text", "image_url"]


async def test_references_are_objects_and_ten_seconds_at_most(api: Any, world: World) -> None:
    updates = await film(api(), mode="reference", references=(PNG, ima2.Link("https://imgen.x.ai/a.png")), duration=12)
    body = world.calls("videos/generations")[0].body
    assert body["duration"] == 10
    assert body["reference_images"][1] == {"url": "https://imgen.x.ai/a.png"}
    notice = only(updates, ima2.Notice)
    assert (notice.code, notice.details["from"], notice.details["to"]) == ("DURATION_CLAMPED", 12, 10)
    assert only(updates, ima2.Artifact).facts["duration"] == 10


async def test_the_planner_reads_the_settings_and_the_earlier_clips(api: Any, world: World) -> None:
    continuity = [
        {"role": "start", "revisedPrompt": "a kite rises", "userPrompt": "kite"},
        {"role": "parent", "revisedPrompt": None, "userPrompt": "it turns"},
        {"role": "parent"},
    ]
    options = {"continuity": continuity, "storyboard": True, "plannerModel": "grok-9"}
    await film(api(), duration=7, options=options)
    plan = world.calls("completions")[0].body
    text = plan["messages"][1]["content"][0]["text"]
    assert plan["model"] == world.calls("responses")[0].body["model"] == "grok-9"
    assert plan["tool_choice"]["function"]["name"] == "generate_video"
    assert "duration 7" in text
    assert "1. (start) a kite rises\n2. (parent) it turns\n\n" in text
    assert "Storyboard:" in text
    await film(api(), options={"webSearch": False})
    text = world.calls("completions")[1].body["messages"][1]["content"][0]["text"]
    assert "Storyboard" not in text
    assert "Earlier clips" not in text
    assert len(world.calls("responses")) == 1


async def test_the_preview_model_begins_with_a_white_canvas(api: Any, world: World) -> None:
    made = only(await film(api(), model=PREVIEW, aspect_ratio="9:16", resolution="720p"), ima2.Artifact)
    body = world.calls("videos/generations")[0].body
    canvas = Image.open(io.BytesIO(xai_clips.data_url_of(body["image"]["url"])))
    assert (canvas.format, canvas.size) == ("PNG", (720, 1280))
    assert canvas.convert("RGB").getextrema() == ((255, 255), (255, 255), (255, 255))
    assert body["prompt"].startswith("The attached picture is an empty white canvas")
    assert made.revised_prompt == "a planned prompt, precise"
    assert made.facts["effectiveModel"] == PREVIEW


@pytest.mark.parametrize(
    ("resolution", "ratio", "size"),
    [
        ("480p", "auto", (853, 480)),
        ("480p", "1:1", (480, 480)),
        ("720p", "3:4", (720, 960)),
        ("720p", "3:2", (1080, 720)),
    ],
)
def test_the_canvas_has_the_shape_of_the_clip(resolution: str, ratio: str, size: tuple[int, int]) -> None:
    assert canvas_size(resolution, ratio) == size


async def test_a_refused_preview_model_gives_way_to_the_base_model_once_and_says_so(api: Any, world: World) -> None:
    updates = await film(api(), f"{KITE} order:no15", model=PREVIEW)
    first, second = (call.body for call in world.calls("videos/generations"))
    assert (first["model"], second["model"]) == (PREVIEW, BASE)
    assert "image" not in second
    assert second["prompt"] == "a planned prompt, precise order:no15"
    notice = only(updates, ima2.Notice)
    assert (notice.code, notice.details) == ("MODEL_FALLBACK", {"from": PREVIEW, "to": BASE})
    facts = only(updates, ima2.Artifact).facts
    assert facts["modelFallback"] == {"from": PREVIEW, "to": BASE}
    assert (facts["requestedModel"], facts["effectiveModel"]) == (PREVIEW, BASE)
    assert only(updates, ima2.Receipt).data["modelFallback"] == {"from": PREVIEW, "to": BASE}


async def test_the_preview_model_gives_way_for_references_too(api: Any, world: World) -> None:
    updates = await film(api(), model=PREVIEW, mode="reference", references=(PNG, JPEG))
    assert only(updates, ima2.Artifact).model == BASE
    assert len(world.calls("videos/generations")[1].body["reference_images"]) == 2


async def test_a_clip_is_edited_in_the_users_own_words(api: Any, world: World) -> None:
    updates = await film(api(), "make it dusk", mode="edit", clip=CLIP)
    assert not world.calls("responses")
    assert not world.calls("completions")
    body = world.calls("videos/edits")[0].body
    assert body["prompt"] == "make it dusk"
    assert xai_clips.data_url_of(body["video"]["url"]) == CLIP.data
    assert set(body) == {"model", "prompt", "video"}
    assert only(updates, ima2.Artifact).revised_prompt == "make it dusk"


async def test_a_clip_is_extended_by_seconds(api: Any, world: World) -> None:
    await film(api(), "it lands", mode="extend", clip=ima2.Link("file_abc-1.x"), duration=4)
    await film(api(), "it lands", mode="extend", clip=ima2.Link("https://vidgen.x.ai/a.mp4"), duration=6)
    first, second = (call.body for call in world.calls("videos/extensions"))
    assert (first["video"], first["duration"]) == ({"file_id": "file_abc-1.x"}, 4)
    assert second["video"] == {"url": "https://vidgen.x.ai/a.mp4"}


async def test_progress_never_goes_back_and_says_when_it_stands_still(api: Any, world: World) -> None:
    pending = [{"status": "pending", "progress": percent} for percent in (10, 40, 20)]
    world.state["xai.polls"] = [(202, answer) for answer in pending] + [(200, {"status": "queued"})]
    updates = await film(api(video_poll_interval_ms=60, video_stalled_ms=100))
    fractions = [update.fraction for update in all_of(updates, ima2.Progress)]
    assert fractions[:4] == [0.1, 0.4, 0.4, 0.4]
    assert [update.stalled for update in all_of(updates, ima2.Progress)][:4] == [False, False, False, True]


async def test_progress_may_be_unknown(api: Any, world: World) -> None:
    world.state["xai.polls"] = [(202, {"status": "pending"})]
    assert all_of(await film(api()), ima2.Progress)[0] == ima2.Progress(None, stalled=False)


async def test_a_first_poll_may_find_it_done(api: Any, world: World) -> None:
    video = {"url": f"{world.base_url}/xai-media/ok/1.mp4"}
    world.state["xai.polls"] = [(200, {"status": "done", "video": video})]
    updates = await film(api(), duration=9)
    assert not all_of(updates, ima2.Progress)
    assert only(updates, ima2.Artifact).facts["duration"] == 9
    assert not [used for used in all_of(updates, ima2.Usage) if used.tokens]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_polls_that_fail_for_a_while_do_not_lose_a_paid_clip(api: Any, world: World, status: int) -> None:
    world.state["xai.polls"] = [(status, {"code": "x", "error": "busy"})] * 3
    updates = await film(api())
    assert only(updates, ima2.Artifact)
    assert len(world.calls("videos/generations")) == 1
    assert len(world.calls("videos/vid-1")) >= 4


async def test_canceling_stops_the_polls(api: Any, world: World) -> None:
    task = asyncio.create_task(film(api(), f"{KITE} clip:forever"))
    while len(world.calls("videos/vid-1")) < 2:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    polls = len(world.calls("videos/vid-1"))
    await asyncio.sleep(0.1)
    assert len(world.calls("videos/vid-1")) == polls


async def test_credentials_do_not_go_to_the_media(api: Any, world: World) -> None:
    await film(api())
    assert all("authorization" not in call.headers for call in world.calls("xai-media"))
    assert all(call.headers["authorization"] == f"Bearer {xai.KEY}" for call in world.calls("videos/vid-1"))
