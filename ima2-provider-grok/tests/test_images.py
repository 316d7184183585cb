"""Pictures: what is asked of xAI, and what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from tests.upstreams import xai
from tests.upstreams.asking import KITE, all_of, draw, only
from tests.upstreams.world import World, picture

import ima2

PNG = ima2.Picture(picture(), "image/png")
JPEG = ima2.Picture(picture(fmt="JPEG"), "image/jpeg")


def paths(world: World) -> list[str]:
    return [one.path.removeprefix("/xai/v1/").split("/1.")[0] for one in world.seen]


async def test_a_picture_takes_a_search_a_plan_a_call_and_a_download(api: Any, world: World) -> None:
    updates = await draw(api(), size="1536x1024")
    made = only(updates, ima2.Artifact)
    assert paths(world) == ["responses", "chat/completions", "images/generations", "/xai-media/ok"]
    assert made.picture.data == picture(fmt="JPEG", seed=1)
    assert made.picture.media_type == "image/jpeg"
    assert made.revised_prompt == "a planned prompt, precise"
    assert made.url == f"{world.base_url}/xai-media/ok/1.jpeg"
    assert made.model == "grok-imagine-image"
    assert [phase.name for phase in all_of(updates, ima2.Phase)] == ["planning", "streaming"]
    assert world.calls("images/")[0].body == {
        "model": "grok-imagine-image",
        "prompt": "a planned prompt, precise",
        "n": 1,
        "response_format": "url",
        "aspect_ratio": "3:2",
        "resolution": "1k",
    }


async def test_what_it_cost_is_told(api: Any) -> None:
    searched, planned, made = all_of(await draw(api()), ima2.Usage)
    assert searched == ima2.Usage(searches=1, cost=0.0061)
    assert planned == ima2.Usage(cost=0.0012)
    assert made == ima2.Usage({"grok_cost_usd_ticks": xai.IMAGE_COST}, cost=0.02, index=0)


async def test_the_planner_reads_the_brief_the_words_and_the_pictures(api: Any, world: World) -> None:
    await draw(api(), references=(PNG, ima2.Link("https://imgen.x.ai/a.jpeg")), options={"plannerModel": "grok-9"})
    search, plan = world.calls("responses")[0].body, world.calls("completions")[0].body
    text, *pictures = plan["messages"][1]["content"]
    assert search["model"] == plan["model"] == "grok-9"
    assert search["tools"] == [{"type": "web_search"}]
    assert search["tool_choice"] == "required"
    assert search["input"][1] == {"role": "user", "content": KITE}
    assert KITE in text["text"]
    assert "Brief: red." in text["text"]
    assert [one["image_url"]["detail"] for one in pictures] == ["high", "high"]
    assert plan["tool_choice"] == {"type": "function", "function": {"name": "generate_image"}}


async def test_several_parts_of_a_search_all_reach_the_planner(api: Any, world: World) -> None:
    await draw(api(), f"{KITE} search:two")
    assert "Brief: red.\n\nLettering: none." in world.calls("completions")[0].body["messages"][1]["content"][0]["text"]


async def test_one_reference_is_an_image_and_more_are_images(api: Any, world: World) -> None:
    link = ima2.Link("https://imgen.x.ai/earlier.jpeg")
    await draw(api(), references=(PNG,), size="auto")
    await draw(api(), references=(link, PNG, JPEG))
    one, three = (call.body for call in world.calls("images/edits"))
    assert one["image"]["url"].startswith("data:image/png;base64,")
    assert "images" not in one
    assert one["aspect_ratio"] == "auto"
    assert "resolution" not in one
    assert three["images"][0] == {"type": "image_url", "url": "https://imgen.x.ai/earlier.jpeg"}
    assert len(three["images"]) == 3
    assert "image" not in three


async def test_the_search_can_be_switched_off(api: Any, world: World) -> None:
    updates = await draw(api(), options={"webSearch": False})
    assert not world.calls("responses")
    assert sum(used.searches for used in all_of(updates, ima2.Usage)) == 0
    assert only(updates, ima2.Artifact)


async def test_quality_high_is_another_model_and_says_so(api: Any, world: World) -> None:
    updates = await draw(api(), model="grok-imagine-image", quality="high")
    assert world.calls("images/")[0].body["model"] == "grok-imagine-image-quality"
    assert "quality" not in world.calls("images/")[0].body
    assert only(updates, ima2.Artifact).facts["requestedModel"] == "grok-imagine-image"
    world.state["xai.serves"] = {"grok-imagine-image-quality": "grok-imagine-image-quality"}
    same = await draw(api(), model="grok-imagine-image-quality", quality="high")
    assert not only(same, ima2.Artifact).facts
    assert not all_of(same, ima2.Notice)


async def test_candidates_share_search_and_plan_and_are_drawn_at_once(api: Any, world: World) -> None:
    world.delay = 0.15
    updates = await draw(api(), count=4)
    assert sorted(made.index for made in all_of(updates, ima2.Artifact)) == [0, 1, 2, 3]
    assert len({made.picture.data for made in all_of(updates, ima2.Artifact)}) == 4
    assert (len(world.calls("responses")), len(world.calls("completions")), len(world.calls("images/"))) == (1, 1, 4)
    assert sum(used.searches for used in all_of(updates, ima2.Usage)) == 1
    first_download = paths(world).index("/xai-media/ok")
    assert paths(world)[:first_download].count("images/generations") == 4


async def test_a_failed_candidate_leaves_the_others(api: Any, world: World) -> None:
    world.state["xai.draws"] = ["ok", "fail500", "ok"]
    updates = await draw(api(), count=3)
    failed = only(updates, ima2.Failed)
    assert isinstance(failed.error, ima2.Ima2Error)
    assert failed.error.code == "GROK_UPSTREAM_ERROR"
    assert {made.index for made in all_of(updates, ima2.Artifact)} | {failed.index} == {0, 1, 2}


async def test_when_every_candidate_fails_the_last_error_is_raised(api: Any) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await draw(api(), f"{KITE} draw:fail429", count=2)
    assert (caught.value.code, caught.value.status, caught.value.retry_after) == ("GROK_RATE_LIMITED", 429, 7)


async def test_a_sequence_searches_plans_and_draws_each_picture_with_its_marker(api: Any, world: World) -> None:
    updates = await draw(api(), sequence=3)
    assert [made.index for made in all_of(updates, ima2.Artifact)] == [0, 1, 2]
    assert [used.index for used in all_of(updates, ima2.Usage) if used.searches] == [0, 1, 2]
    asked = [call.body["input"][1]["content"] for call in world.calls("responses")]
    assert [text.startswith(f"Image {number} of 3") for number, text in enumerate(asked, 1)] == [True] * 3
    assert all(KITE in text for text in asked)
    assert paths(world)[:4] == ["responses", "chat/completions", "images/generations", "/xai-media/ok"]


async def test_a_sequence_goes_on_after_a_failed_picture_and_keeps_the_places(api: Any) -> None:
    updates = await draw(api(), f"{KITE} draw2:fail500", sequence=3)
    assert [made.index for made in all_of(updates, ima2.Artifact)] == [0, 2]
    assert only(updates, ima2.Failed).index == 1


@pytest.mark.parametrize(
    ("words", "code"), [("draw:moderated", "SAFETY_REFUSAL"), ("plan:notool", "GROK_PLANNER_EMPTY_TOOL_CALL")]
)
async def test_a_sequence_without_pictures_ends_with_the_real_error(
    api: Any, world: World, words: str, code: str
) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await draw(api(), f"{KITE} {words}", sequence=2)
    assert caught.value.code == code
    assert len(world.calls("completions")) == (1 if words.startswith("plan") else 2)


async def test_an_edit_goes_straight_to_the_picture(api: Any, world: World) -> None:
    updates = await draw(api(), "make the sky stormy", source=PNG, references=(JPEG,), plain=True)
    assert paths(world) == ["images/edits", "/xai-media/ok"]
    body = world.calls("edits")[0].body
    assert body["prompt"] == "make the sky stormy"
    assert [one["url"].split(";")[0] for one in body["images"]] == ["data:image/png", "data:image/jpeg"]
    assert only(updates, ima2.Artifact).revised_prompt == "xai's words"
    assert only(updates, ima2.Usage).searches == 0


async def test_a_picture_inside_the_answer_needs_no_download(api: Any, world: World) -> None:
    made = only(await draw(api(), f"{KITE} draw:inline"), ima2.Artifact)
    assert made.picture == ima2.Picture(picture(fmt="JPEG"), "image/jpeg")
    assert made.url is None
    assert not world.calls("xai-media")


async def test_the_key_goes_to_the_api_and_never_to_the_media(api: Any, world: World) -> None:
    await draw(api())
    keyed = {one.path.startswith("/xai/v1/"): one.headers.get("authorization") for one in world.seen}
    assert keyed == {True: f"Bearer {xai.KEY}", False: None}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"references": (PNG,) * 4}, "GROK_REF_TOO_MANY"),
        ({"references": (PNG,) * 3, "source": PNG}, "GROK_REF_TOO_MANY"),
        ({"mask": PNG, "source": PNG}, "GROK_MASK_UNSUPPORTED"),
        ({"model": "gpt-5.4"}, "INVALID_GROK_IMAGE_MODEL"),
    ],
)
async def test_what_grok_cannot_do_is_refused_before_anything_is_sent(
    api: Any, world: World, fields: dict[str, Any], code: str
) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await draw(api(), **fields)
    assert (caught.value.code, caught.value.status) == (code, 400)
    assert not world.seen


async def test_canceling_ends_the_call_at_once(api: Any, world: World) -> None:
    task = asyncio.create_task(draw(api(), f"{KITE} draw:hang", count=2))
    while len(world.calls("images/")) < 2:
        await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)
    assert task.cancelled()
