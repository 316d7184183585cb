"""Each way a clip can fail: its code and its status."""

from __future__ import annotations

from typing import Any

import pytest
from tests.upstreams import xai, xai_clips
from tests.upstreams.asking import KITE, told
from tests.upstreams.world import World, picture

import ima2

PNG = ima2.Picture(picture(), "image/png")
CLIP = ima2.Picture(xai_clips.CLIP, "video/mp4")


async def failed(provider: ima2.Provider, prompt: str = KITE, **fields: Any) -> ima2.Ima2Error:
    """The error that a request for a clip ends with."""
    request = ima2.VideoRequest(prompt, provider.id, **fields)
    with pytest.raises(ima2.Ima2Error) as caught:
        [update async for update in provider.videos(request, ima2.Job("job-1"))]
    assert xai.MARKER not in told(caught.value)
    assert KITE not in caught.value.text
    return caught.value


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ima2_provider_grok.polls.NEW_SECONDS", 0.3)


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ("search:fail429", "GROK_RATE_LIMITED", 429),
        ("search:fail401", "GROK_AUTH_FAILED", 502),
        ("search:nomessage", "GROK_SEARCH_EMPTY_RESPONSE", 502),
        ("plan:fail429", "GROK_PLANNER_BAD_REQUEST", 429),
        ("plan:fail401", "GROK_PLANNER_BAD_REQUEST", 401),
        ("plan:fail500", "GROK_PLANNER_BAD_REQUEST", 502),
        ("plan:notool", "GROK_PLANNER_EMPTY_TOOL_CALL", 502),
        ("plan:badjson", "GROK_PLANNER_INVALID_TOOL_ARGS", 502),
        ("order:fail400", "GROK_VIDEO_REQUEST_FAILED", 400),
        ("order:fail403", "GROK_VIDEO_REQUEST_FAILED", 403),
        ("order:fail429", "GROK_VIDEO_REQUEST_FAILED", 429),
        ("order:fail500", "GROK_VIDEO_REQUEST_FAILED", 502),
        ("order:html", "GROK_VIDEO_REQUEST_FAILED", 502),
        ("order:notjson", "GROK_VIDEO_REQUEST_FAILED", 502),
        ("order:noid", "GROK_VIDEO_REQUEST_FAILED", 502),
        ("clip:failed_invalid_argument", "GROK_VIDEO_REQUEST_FAILED", 400),
        ("clip:failed_permission_denied", "GROK_VIDEO_REQUEST_FAILED", 403),
        ("clip:failed_failed_precondition", "GROK_VIDEO_REQUEST_FAILED", 412),
        ("clip:failed_service_unavailable", "GROK_VIDEO_POLL_FAILED", 502),
        ("clip:failed_internal_error", "GROK_VIDEO_FAILED", 502),
        ("clip:failed_", "GROK_VIDEO_FAILED", 502),
        ("clip:expired", "GROK_VIDEO_EXPIRED", 502),
        ("clip:nourl", "GROK_VIDEO_EMPTY_RESPONSE", 502),
        ("clip:blocked", "GROK_VIDEO_MODERATION_BLOCKED", 502),
        ("clip:blockedurl", "GROK_VIDEO_MODERATION_BLOCKED", 502),
        ("clip:poll404", "GROK_VIDEO_POLL_FAILED", 404),
        ("clip:half", "PICTURE_INCOMPLETE", 502),
        ("clip:notmp4", "GROK_VIDEO_DOWNLOAD_FAILED", 502),
        ("clip:announced", "GROK_VIDEO_DOWNLOAD_FAILED", 502),
    ],
)
async def test_each_step_of_a_clip_fails_with_its_code(
    api: Any, world: World, words: str, code: str, status: int
) -> None:
    error = await failed(api(), f"{KITE} {words}")
    assert (error.code, error.status) == (code, status)
    assert len(world.calls("videos/generations")) == (0 if words.startswith(("search", "plan")) else 1)


async def test_an_order_that_is_not_known_at_once_is_asked_after_again(api: Any, world: World) -> None:
    world.state["xai.polls"] = [(404, {"code": "Some requested entity was not found", "error": "no such request"})] * 2
    request = ima2.VideoRequest(KITE, "grok-api")
    updates = [update async for update in api().videos(request, ima2.Job("job-1"))]
    assert isinstance(updates[-1], ima2.Artifact)
    assert len(world.calls("videos/generations")) == 1


async def test_a_clip_that_is_sent_without_end_is_cut_off(api: Any) -> None:
    error = await failed(api(), f"{KITE} clip:streamed")
    assert (error.code, error.status) == ("GROK_VIDEO_DOWNLOAD_FAILED", 502)


@pytest.mark.parametrize("kind", ["octet", "s3type", "wrongtype", "late"])
async def test_a_clip_is_taken_by_its_bytes_whatever_its_label_and_however_late(api: Any, kind: str) -> None:
    request = ima2.VideoRequest(f"{KITE} clip:{kind}", "grok-api")
    updates = [update async for update in api().videos(request, ima2.Job("job-1"))]
    assert isinstance(updates[-1], ima2.Artifact)


@pytest.mark.parametrize(
    ("words", "limits"),
    [
        ("order:hang", {"video_start_timeout_ms": 300}),
        ("clip:forever", {"video_timeout_ms": 400}),
        ("clip:hangs", {"video_timeout_ms": 500, "video_start_timeout_ms": 100}),
        ("clip:poll503", {"video_timeout_ms": 400}),
    ],
)
async def test_waiting_has_an_end(api: Any, world: World, words: str, limits: dict[str, int]) -> None:
    error = await failed(api(**limits), f"{KITE} {words}")
    assert (error.code, error.status) == ("GROK_VIDEO_TIMEOUT", 504)
    assert len(world.calls("videos/generations")) == 1


async def test_the_jobs_own_deadline_ends_the_polls(api: Any) -> None:
    request = ima2.VideoRequest(f"{KITE} clip:forever", "grok-api")
    job = ima2.Job("job-1")
    job.deadline -= 899.0
    with pytest.raises(ima2.Ima2Error) as caught:
        [update async for update in api().videos(request, job)]
    assert caught.value.code == "GROK_VIDEO_TIMEOUT"


async def test_an_error_after_the_order_names_it(api: Any) -> None:
    error = await failed(api(), f"{KITE} clip:expired")
    assert error.details["xaiVideoRequestId"] == "vid-1"


@pytest.mark.parametrize("words", ["order:fail403", "order:fail500", "order:moderated", "order:fail429"])
async def test_only_a_400_about_the_order_itself_goes_to_the_base_model(api: Any, world: World, words: str) -> None:
    error = await failed(api(), f"{KITE} {words}", model=xai_clips.PREVIEW)
    assert error.code == "GROK_VIDEO_REQUEST_FAILED"
    assert len(world.calls("videos/generations")) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model": "grok-imagine-image"}, "INVALID_GROK_VIDEO_MODEL"),
        ({"mode": "edit", "clip": CLIP, "model": xai_clips.PREVIEW}, "INVALID_GROK_VIDEO_MODEL"),
        ({"mode": "reference", "references": (PNG,) * 8}, "GROK_VIDEO_REF_TOO_MANY"),
        ({"mode": "image"}, "GROK_VIDEO_INVALID_MODE"),
        ({"mode": "reference"}, "GROK_VIDEO_INVALID_MODE"),
        ({"mode": "extend"}, "GROK_VIDEO_INVALID_MODE"),
        ({"mode": "dance"}, "GROK_VIDEO_INVALID_MODE"),
    ],
)
async def test_what_makes_no_clip_is_refused_before_anything_is_sent(
    api: Any, world: World, fields: dict[str, Any], code: str
) -> None:
    error = await failed(api(), **fields)
    assert (error.code, error.status) == (code, 400)
    assert not world.seen
