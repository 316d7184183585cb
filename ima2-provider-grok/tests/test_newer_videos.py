"""The 1.5 models: what they make that the first one does not."""

from __future__ import annotations

from typing import Any

import pytest
from tests.upstreams.asking import KITE, all_of, only, until_failure
from tests.upstreams.world import World, picture
from tests.upstreams.xai_clips import BASE, GENERAL, LITE, VIDEO_COST

import ima2

PNG = ima2.Picture(picture(), "image/png")


async def film(provider: ima2.Provider, prompt: str = KITE, **fields: Any) -> list[ima2.Update]:
    request = ima2.VideoRequest(prompt, provider.id, **fields)
    return [update async for update in provider.videos(request, ima2.Job("job-1"))]


async def failed(provider: ima2.Provider, **fields: Any) -> ima2.Ima2Error:
    with pytest.raises(ima2.Ima2Error) as caught:
        await film(provider, **fields)
    return caught.value


@pytest.mark.parametrize("model", [GENERAL, LITE])
async def test_they_begin_from_words_alone_without_a_canvas(api: Any, world: World, model: str) -> None:
    updates = await film(api(), model=model)
    (order,) = world.calls("generations")
    assert order.body["model"] == model
    assert "image" not in order.body
    assert only(updates, ima2.Artifact).facts["effectiveModel"] == model
    assert not all_of(updates, ima2.Notice)


async def test_the_general_one_makes_1080p_except_from_several_pictures(api: Any, world: World) -> None:
    await film(api(), model=GENERAL, resolution="1080p", aspect_ratio="16:9")
    assert world.calls("generations")[0].body["resolution"] == "1080p"
    error = await failed(api(), model=GENERAL, resolution="1080p", mode="reference", references=(PNG, PNG))
    assert (error.code, error.status) == ("INVALID_VIDEO_RESOLUTION", 400)
    for model in (BASE, LITE):
        assert (await failed(api(), model=model, resolution="1080p")).code == "INVALID_VIDEO_RESOLUTION"
    assert len(world.calls("generations")) == 1


async def test_seven_references_and_no_more(api: Any, world: World) -> None:
    await film(api(), model=GENERAL, resolution="720p", mode="reference", references=(PNG,) * 7)
    assert len(world.calls("generations")[0].body["reference_images"]) == 7


async def test_last_frame_keyframes_voices_and_sound_are_sent_as_xai_names_them(api: Any, world: World) -> None:
    options = {
        "lastFrame": "https://imgen.x.ai/end.png",
        "keyframes": [
            {"image": "file_mid", "timestamp": 2.5},
            {"image": "https://imgen.x.ai/late.png", "timestamp": 4},
        ],
        "voices": [{"voiceId": "ara"}],
        "sound": "off",
    }
    await film(api(), model=GENERAL, mode="image", source=PNG, options=options)
    body = world.calls("generations")[0].body
    assert body["last_frame"] == {"url": "https://imgen.x.ai/end.png"}
    assert body["keyframes"] == [
        {"image": {"file_id": "file_mid"}, "timestamp_s": 2.5},
        {"image": {"url": "https://imgen.x.ai/late.png"}, "timestamp_s": 4},
    ]
    assert body["reference_audios"] == [{"voice_id": "ara"}]
    assert body["generate_audio"] is False
    await film(api(), model=GENERAL, options={"sound": "auto"})
    assert "generate_audio" not in world.calls("generations")[1].body


@pytest.mark.parametrize(
    "options",
    [
        {"lastFrame": "/etc/passwd"},
        {"lastFrame": "http://10.0.0.1/x.png"},
        {"keyframes": [{"image": "file_mid"}]},
        {"keyframes": [{"image": "file_mid", "timestamp": 5}]},
        {"keyframes": [{"image": "file_mid", "timestamp": True}]},
        {"keyframes": ["x"]},
        {"voices": [{"voiceId": " "}]},
        {"fileIds": "not-a-file"},
    ],
)
async def test_extras_that_make_no_sense_are_refused_before_anything_is_sent(
    api: Any, world: World, options: dict[str, Any]
) -> None:
    error = await failed(api(), model=GENERAL, options=options)
    assert (error.code, error.status) == ("INVALID_OPTION", 400)
    assert not world.seen


async def test_the_first_model_takes_no_extras_and_says_which_one_does(api: Any, world: World) -> None:
    error = await failed(api(), model=BASE, options={"sound": "on", "lastFrame": "file_end"})
    assert error.code == "INVALID_OPTION"
    assert "lastFrame, sound" in error.text
    assert GENERAL in error.text
    assert not world.seen


@pytest.mark.parametrize("fields", [{"options": {"sound": "off"}}, {"resolution": "1080p"}])
async def test_what_the_first_model_cannot_do_is_never_ordered_from_it_instead(
    api: Any, world: World, fields: dict[str, Any]
) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await film(api(), f"{KITE} order:no15", model=GENERAL, **fields)
    assert (caught.value.code, caught.value.status) == ("GROK_VIDEO_REQUEST_FAILED", 400)
    assert len(world.calls("generations")) == 1


@pytest.mark.parametrize(
    ("given", "files", "field"),
    [({}, "file_1", "image"), ({"mode": "image", "source": PNG}, "file_1", "reference_images")],
)
async def test_files_that_xai_keeps_count_among_the_pictures(
    api: Any, world: World, given: dict[str, Any], files: str, field: str
) -> None:
    await film(api(), options={"fileIds": files}, **given)
    sent = world.calls("generations")[0].body[field]
    assert {"file_id": "file_1"} in ([sent] if isinstance(sent, dict) else sent)


async def test_the_cost_of_a_clip_that_is_held_back_is_told(api: Any) -> None:
    request = ima2.VideoRequest(f"{KITE} clip:blocked", "grok-api")
    seen, error = await until_failure(api().videos(request, ima2.Job("job-1")))
    assert error.code == "GROK_VIDEO_MODERATION_BLOCKED"
    assert "billed" in error.text
    assert all_of(seen, ima2.Usage)[-1].tokens == {"grok_cost_usd_ticks": VIDEO_COST}
