"""Which models there are, what each takes, and what happens when Google no longer serves one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.upstreams.asking import KITE, all_of, draw, failure, only, sent
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_gemini.catalogue import CAPABILITIES, IMAGE_MODELS
from ima2_provider_gemini.provider import GeminiProvider

Providers = Callable[..., GeminiProvider]
PNG = ima2.Picture(picture(), "image/png")
NEW = "gemini-nano-banana-2.1"


@pytest.mark.parametrize("model", list(IMAGE_MODELS))
async def test_every_model_draws_at_both_services(make: Providers, world: World, account: str, model: str) -> None:
    for provider in (make(), make(api_key=None, service_account=account)):
        assert only(await draw(provider, model=model), ima2.Artifact).model == model
    paths = {call.path.partition("/models/")[2] for call in world.calls(":generateContent")}
    assert paths == {f"{IMAGE_MODELS[model].upstream}:generateContent"}


def test_every_model_says_where_its_facts_are_from() -> None:
    assert all(model.source and model.checked == CAPABILITIES.catalogue for model in CAPABILITIES.models)
    known = {model.id for model in CAPABILITIES.models}
    assert all(model.replacement in known for model in CAPABILITIES.models if model.state != "served")
    assert {model.id: model.max_references for model in CAPABILITIES.models if model.media == "image"} == {
        "nano-banana-2": 3,
        "nano-banana-pro": 3,
        NEW: 14,
        "gemini-3.1-flash-lite-image": 14,
    }


def test_lists_of_the_old_wire_hold_what_they_held(provider: GeminiProvider) -> None:
    assert [model.id for model in CAPABILITIES.models if model.classic and model.media == "image"] == [
        "nano-banana-2",
        "nano-banana-pro",
    ]


async def test_the_newest_takes_fourteen_pictures_and_no_more(provider: GeminiProvider, world: World) -> None:
    await draw(provider, model=NEW, references=(PNG,) * 14)
    assert len(sent(world).body["contents"][0]["parts"]) == 15
    error = await failure(provider, model=NEW, references=(PNG,) * 15)
    assert (error.code, "14" in error.text) == ("GROK_REF_TOO_MANY", True)


@pytest.mark.parametrize(
    ("model", "size", "used"),
    [(NEW, "512x512", "1:1 1K"), ("gemini-3.1-flash-lite-image", "2048x2048", "1:1 1K")],
)
async def test_a_size_that_a_model_lacks_is_drawn_at_the_nearest_and_said(
    provider: GeminiProvider, model: str, size: str, used: str
) -> None:
    notice = only(await draw(provider, model=model, size=size), ima2.Notice)
    assert (notice.code, notice.details["normalizedTo"]) == ("SIZE_ADJUSTED", used)


@pytest.mark.parametrize("level", ["minimal", "medium", "high"])
async def test_the_thinking_level_is_sent(provider: GeminiProvider, world: World, level: str) -> None:
    await draw(provider, model=NEW, options={"thinkingLevel": level})
    assert sent(world).body["generationConfig"]["thinkingConfig"] == {"thinkingLevel": level.upper()}


async def test_a_thinking_level_is_refused_where_the_model_takes_none(provider: GeminiProvider, world: World) -> None:
    error = await failure(provider, options={"thinkingLevel": "high"})
    assert (error.code, error.status, NEW in error.text) == ("GEMINI_API_THINKING_UNSUPPORTED", 400, True)
    assert world.seen == []


async def test_a_model_that_ended_is_replaced_once_and_that_is_said_and_remembered(
    provider: GeminiProvider, world: World
) -> None:
    world.state["gemini.gone"] = ["gemini-3.1-flash-image"]
    updates = await draw(provider, size="512x512")
    assert only(updates, ima2.Artifact).model == NEW
    replaced, adjusted = all_of(updates, ima2.Notice)
    assert (replaced.code, replaced.details) == (
        "MODEL_REPLACED",
        {"field": "model", "requested": "nano-banana-2", "used": NEW},
    )
    assert adjusted.code == "SIZE_ADJUSTED"
    assert only(updates, ima2.Usage).cost == 0.034
    assert len(world.calls(":generateContent")) == 2
    again = await draw(provider)
    assert [one.code for one in all_of(again, ima2.Notice)] == ["MODEL_REPLACED"]
    assert len(world.calls(":generateContent")) == 3


async def test_several_candidates_are_told_of_a_replacement_once(provider: GeminiProvider, world: World) -> None:
    world.state["gemini.gone"] = ["gemini-3.1-flash-image"]
    updates = await draw(provider, count=3)
    assert len(all_of(updates, ima2.Artifact)) == 3
    assert only(updates, ima2.Notice).code == "MODEL_REPLACED"


@pytest.mark.parametrize(
    ("model", "gone", "works"),
    [
        ("nano-banana-pro", ["gemini-3-pro-image"], ["nano-banana-2", NEW, "gemini-3.1-flash-lite-image"]),
        ("nano-banana-2", ["gemini-3.1-flash-image", NEW], ["nano-banana-pro", "gemini-3.1-flash-lite-image"]),
    ],
)
async def test_a_model_that_cannot_be_replaced_is_an_error_that_names_those_that_work(
    provider: GeminiProvider, world: World, model: str, gone: list[str], works: list[str]
) -> None:
    world.state["gemini.gone"] = gone
    world.state["gemini.models"] = [one.upstream for one in IMAGE_MODELS.values() if one.upstream not in gone]
    error = await failure(provider, model=model)
    assert (error.code, error.status, error.details) == ("MODEL_UNAVAILABLE", 400, {"models": works})
    assert all(name in error.text for name in works)


async def test_a_model_that_nobody_declared_is_sent_only_on_demand(provider: GeminiProvider, world: World) -> None:
    fields: dict[str, Any] = {"model": "gemini-4-flash-image"}
    assert (await failure(provider, **fields)).code == "INVALID_GEMINI_API_IMAGE_MODEL"
    assert world.seen == []
    error = await failure(provider, any_model=True, **fields)
    assert error.code == "MODEL_UNAVAILABLE"
    assert sent(world).path == "/v1beta/models/gemini-4-flash-image:generateContent"
    assert (await failure(provider, any_model=True, model="../../x")).code == "INVALID_GEMINI_API_IMAGE_MODEL"


async def test_the_accounts_own_models_are_those_that_google_lists(make: Providers, world: World, account: str) -> None:
    world.state["gemini.models"] = ["gemini-3-pro-image", "gemini-9-flash-image", "gemini-3.6-flash"]
    found = await make().models()
    assert [(model.id, model.title) for model in found] == [
        ("nano-banana-pro", "Nano Banana Pro"),
        ("gemini-9-flash-image", "Model gemini-9-flash-image"),
    ]
    assert await make(api_key=None, service_account=account).models() == []


async def test_the_text_model_is_replaced_too(provider: GeminiProvider, world: World) -> None:
    world.state["gemini.gone"] = ["gemini-3.5-flash"]
    for calls in (2, 3):
        result = await provider.text(ima2.TextRequest("Plan a kite.", provider.id))
        assert result.model == "gemini-3.6-flash"
        assert len(world.calls(":generateContent")) == calls


async def test_a_text_model_without_a_replacement_is_an_error(provider: GeminiProvider) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await provider.text(ima2.TextRequest(KITE, provider.id, model="gemini-1-flash"))
    assert (caught.value.code, caught.value.details) == ("MODEL_UNAVAILABLE", {"models": ["gemini-3.6-flash"]})
