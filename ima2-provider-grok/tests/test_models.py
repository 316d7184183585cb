"""Models: what is known of them, what really served, and what happens when one is gone."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from tests.upstreams import xai, xai_clips
from tests.upstreams.asking import KITE, all_of, draw, failure, only
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_grok import catalogue, substitutes
from ima2_provider_grok.capabilities import capabilities
from ima2_provider_grok.settings import GrokSettings

PNG = ima2.Picture(picture(), "image/png")
FIRST, RETIRED, SECOND = "grok-imagine-image", "grok-imagine-image-quality", xai.SECOND


async def film(provider: ima2.Provider, prompt: str = KITE, **fields: Any) -> list[ima2.Update]:
    request = ima2.VideoRequest(prompt, provider.id, **fields)
    return [update async for update in provider.videos(request, ima2.Job("job-1"))]


def test_every_model_of_the_list_is_dated_and_says_where_its_facts_are_from() -> None:
    able = capabilities(GrokSettings())
    assert datetime.date.fromisoformat(able.catalogue)
    assert all(model.checked == able.catalogue and model.source for model in able.models)
    names = {model.id for model in able.models}
    assert {model.replacement for model in able.models if model.replacement} <= names
    assert all(model.replacement and model.ends for model in able.models if model.state == "ended")


async def test_the_model_that_served_is_read_from_the_answer_and_told_once(api: Any, world: World) -> None:
    world.state["xai.serves"] = {FIRST: SECOND}
    updates = await draw(api(), count=3)
    assert {made.model for made in all_of(updates, ima2.Artifact)} == {SECOND}
    assert only(updates, ima2.Notice).details == {
        "field": "model",
        "requested": FIRST,
        "used": SECOND,
    }


async def test_the_retired_name_is_sent_as_asked_and_what_serves_it_is_told(api: Any, world: World) -> None:
    updates = await draw(api(), model=RETIRED)
    assert world.calls("images/")[0].body["model"] == RETIRED
    made = only(updates, ima2.Artifact)
    assert made.model == SECOND
    assert made.facts == {"requestedModel": RETIRED, "effectiveModel": SECOND}
    assert only(updates, ima2.Notice).code == "MODEL_DIFFERS"


@pytest.mark.parametrize(("served", "same"), [(f"{FIRST}-20260301", True), (f"{FIRST}-latest", True), (SECOND, False)])
def test_a_dated_version_is_the_model_that_was_ordered(served: str, same: bool) -> None:
    assert substitutes.is_same_model(FIRST, served) is same


async def test_a_model_that_is_gone_is_replaced_once_told_and_remembered(api: Any, world: World) -> None:
    world.state["xai.gone"] = {FIRST}
    provider = api()
    updates = await draw(provider)
    assert [call.body["model"] for call in world.calls("images/")] == [FIRST, SECOND]
    assert only(updates, ima2.Artifact).facts == {"requestedModel": FIRST, "effectiveModel": SECOND}
    assert only(updates, ima2.Notice).code == "MODEL_REPLACED"
    assert only(updates, ima2.Notice).details == {"field": "model", "requested": FIRST, "used": SECOND}
    again = await draw(provider)
    assert [call.body["model"] for call in world.calls("images/")] == [FIRST, SECOND, SECOND]
    assert only(again, ima2.Notice).code == "MODEL_REPLACED"


async def test_what_was_learnt_of_a_model_is_forgotten_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("ima2_provider_grok.substitutes.time.monotonic", lambda: now)
    learnt = substitutes.Substitutes()
    learnt.remember(FIRST, SECOND)
    now += 24 * 3600 - 1
    assert learnt.current(FIRST) == SECOND
    now += 2
    assert learnt.current(FIRST) == FIRST


async def test_when_its_replacement_is_gone_too_the_models_that_work_are_named(api: Any, world: World) -> None:
    world.state["xai.gone"] = {FIRST, SECOND}
    error = await failure(api(), source=PNG, plain=True)
    assert (error.code, error.status) == ("MODEL_UNAVAILABLE", 404)
    assert FIRST in error.text
    assert SECOND in error.details["models"]
    assert len(world.calls("images/")) == 2


async def test_a_404_that_is_not_about_the_model_is_not_answered_with_another_order(api: Any, world: World) -> None:
    error = await failure(api(), f"{KITE} draw:fail404")
    assert error.code == "GROK_BAD_REQUEST"
    assert len(world.calls("images/")) == 1


async def test_a_planner_that_is_gone_is_replaced_and_told(api: Any, world: World) -> None:
    world.state["xai.gone"] = {"grok-4.3"}
    updates = await draw(api())
    assert [call.body["model"] for call in world.calls("responses")] == ["grok-4.3", "grok-4.6"]
    assert [call.body["model"] for call in world.calls("completions")] == ["grok-4.6"]
    assert only(updates, ima2.Notice).details == {"field": "plannerModel", "requested": "grok-4.3", "used": "grok-4.6"}


async def test_a_video_model_that_is_gone_gives_way_to_its_replacement(api: Any, world: World) -> None:
    world.state["xai.gone"] = {xai_clips.PREVIEW}
    updates = await film(api(), model=xai_clips.PREVIEW)
    assert [call.body["model"] for call in world.calls("generations")] == [xai_clips.PREVIEW, xai_clips.GENERAL]
    change = {"from": xai_clips.PREVIEW, "to": xai_clips.GENERAL}
    assert only(updates, ima2.Receipt).facts["modelFallback"] == change
    assert only(updates, ima2.Artifact).facts["effectiveModel"] == xai_clips.GENERAL
    assert only(updates, ima2.Notice).details == change


async def test_a_video_model_that_is_gone_with_its_replacement_names_those_that_work(api: Any, world: World) -> None:
    world.state["xai.gone"] = {xai_clips.LITE, xai_clips.GENERAL}
    with pytest.raises(ima2.Ima2Error) as caught:
        await film(api(), model=xai_clips.LITE, resolution="720p")
    assert caught.value.code == "MODEL_UNAVAILABLE"
    assert xai_clips.BASE in caught.value.details["models"]


async def test_a_clip_made_by_another_model_says_so(api: Any, world: World) -> None:
    world.state["xai.serves"] = {xai_clips.BASE: xai_clips.LITE}
    updates = await film(api())
    made = only(updates, ima2.Artifact)
    assert (made.model, made.facts["servedModel"], made.facts["effectiveModel"]) == (
        xai_clips.LITE,
        xai_clips.LITE,
        xai_clips.BASE,
    )
    assert only(updates, ima2.Notice).details == {"field": "model", "requested": xai_clips.BASE, "used": xai_clips.LITE}


async def test_a_model_nobody_declared_is_sent_only_where_the_request_says_so(api: Any, world: World) -> None:
    assert (await failure(api(), model="grok-imagine-image-3.0")).code == "INVALID_GROK_IMAGE_MODEL"
    assert not world.seen
    error = await failure(api(), model="grok-imagine-image-3.0", any_model=True)
    assert world.calls("images/")[0].body["model"] == "grok-imagine-image-3.0"
    assert error.code == "GROK_BAD_REQUEST"


async def test_the_accounts_own_models_are_listed_with_what_is_known_of_them(api: Any, world: World) -> None:
    world.state["xai.models"] = [SECOND, "grok-imagine-video-2", "grok-5", RETIRED]
    found = {model.id: model for model in await api().models()}
    assert found[SECOND].max_references == 5
    assert (found["grok-imagine-video-2"].media, found["grok-5"].media) == ("video", "text")
    assert (found[RETIRED].state, found[RETIRED].ends) == ("ended", "2026-11-02")


def test_a_model_that_ended_is_not_called_working() -> None:
    assert RETIRED not in catalogue.working_models("image")
    assert catalogue.working_models("image", FIRST) == [SECOND]
