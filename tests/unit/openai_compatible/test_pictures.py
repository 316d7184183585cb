"""Pictures from a server: what is sent, and what comes of each shape of answer."""

from __future__ import annotations

import pytest
from tests.unit.openai_compatible.conftest import KEY, Lab
from tests.upstreams.asking import all_of, draw, failure, only, sent
from tests.upstreams.world import World, picture

import ima2

GENERATIONS, EDITS = "/images/generations", "/images/edits"
PNG = ima2.Picture(picture(), "image/png")


async def test_a_request_is_sent_once_with_everything_that_was_asked_for(lab: Lab, world: World) -> None:
    updates = await draw(lab(api_key=KEY), model="flux-dev", size="512x768", quality="high", count=1)
    call = sent(world, GENERATIONS)
    assert call.body == {
        "prompt": "a red kite over dunes",
        "n": 1,
        "model": "flux-dev",
        "size": "512x768",
        "quality": "high",
        "response_format": "b64_json",
    }
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert only(updates, ima2.Artifact).picture == PNG
    used = only(updates, ima2.Usage).tokens
    assert used is not None
    assert (used["input_tokens"], used["output_tokens"], used["total_tokens"]) == (12, 30, 42)


async def test_without_a_key_no_one_is_named(lab: Lab, world: World) -> None:
    await draw(lab())
    assert "authorization" not in sent(world, GENERATIONS).headers


async def test_auto_is_left_to_the_server(lab: Lab, world: World) -> None:
    await draw(lab(models=[], qualities=[]), size="auto")
    assert set(sent(world, GENERATIONS).body) == {"prompt", "n", "response_format"}


async def test_openais_newer_models_are_not_asked_for_a_response_format(lab: Lab, world: World) -> None:
    await draw(lab(models=["openai/gpt-image-2"]), model="openai/gpt-image-2")
    assert "response_format" not in sent(world, GENERATIONS).body


async def test_fields_of_the_settings_go_along_and_replace_nothing(lab: Lab, world: World) -> None:
    await draw(lab(extra={"steps": 20, "prompt": "something else"}))
    body = sent(world, GENERATIONS).body
    assert (body["steps"], body["prompt"]) == (20, "a red kite over dunes")


async def test_a_quality_that_cannot_be_passed_on_is_told(lab: Lab, world: World) -> None:
    updates = await draw(lab(qualities=[]), quality="high")
    assert only(updates, ima2.Notice).code == "QUALITY_NOT_SENT"
    assert "quality" not in sent(world, GENERATIONS).body


async def test_several_pictures_are_one_call(lab: Lab, world: World) -> None:
    updates = await draw(lab(), count=3)
    assert [one.index for one in all_of(updates, ima2.Artifact)] == [0, 1, 2]
    assert sent(world, GENERATIONS).body["n"] == 3


async def test_a_server_that_takes_no_n_is_called_once_a_picture_and_ordered_once(lab: Lab, world: World) -> None:
    orders = []

    async def order() -> None:
        orders.append(len(world.calls(GENERATIONS)))

    request = ima2.ImageRequest("kites", "lab", count=3)
    updates = [one async for one in lab(batch=False).images(request, ima2.Job("job-1", on_order=order))]
    assert sorted(one.index for one in all_of(updates, ima2.Artifact)) == [0, 1, 2]
    assert [call.body["n"] for call in world.calls(GENERATIONS)] == [1, 1, 1]
    assert orders == [0]


async def test_free_work_is_never_marked_as_ordered(lab: Lab) -> None:
    async def order() -> None:
        raise AssertionError

    request = ima2.ImageRequest("kites", "lab")
    assert [one async for one in lab(free=True).images(request, ima2.Job("job-1", on_order=order))]


async def test_input_pictures_and_a_mask_are_files_of_a_form(lab: Lab, world: World) -> None:
    jpeg = ima2.Picture(picture(fmt="JPEG"), "image/jpeg")
    provider = lab(masks=True)
    await draw(provider, source=PNG, references=(jpeg,), mask=PNG, model="flux-dev", count=2)
    body = sent(world, EDITS).body
    assert body["image[]"] == [("image-1.png", "image/png", PNG.data), ("image-2.jpg", "image/jpeg", jpeg.data)]
    assert body["mask"] == [("mask.png", "image/png", PNG.data)]
    assert (body["prompt"], body["n"], body["model"]) == ("a red kite over dunes", "2", "flux-dev")


async def test_one_input_picture_goes_by_the_plain_name(lab: Lab, world: World) -> None:
    await draw(lab(), references=(PNG,))
    assert "image" in sent(world, EDITS).body


@pytest.mark.parametrize("form", ["ASURL", "ASRELATIVE", "ASDATA", "FLAKYURL"])
async def test_a_picture_behind_an_address_of_the_server_is_fetched_with_its_key(
    lab: Lab, world: World, form: str
) -> None:
    world.state["compatible.key"] = KEY
    updates = await draw(lab(api_key=KEY), f"{form} kite")
    assert only(updates, ima2.Artifact).picture == PNG
    assert len(world.calls(GENERATIONS)) == 1


async def test_an_address_elsewhere_goes_through_the_guarded_download(lab: Lab) -> None:
    updates = await draw(lab(), "ELSEWHERE kite")
    missing = only(updates, ima2.Failed).error
    assert isinstance(missing, ima2.FetchError)
    assert missing.code == "FETCH_ADDRESS_REFUSED"


async def test_one_bad_picture_does_not_cost_the_others(lab: Lab) -> None:
    updates = await draw(lab(), "TRUNCATED kites", count=3)
    assert [one.index for one in all_of(updates, ima2.Artifact)] == [0, 2]
    broken = only(updates, ima2.Failed)
    assert broken.index == 1
    assert isinstance(broken.error, ima2.MediaError)
    assert broken.error.data


async def test_a_picture_that_did_not_come_is_told(lab: Lab) -> None:
    updates = await draw(lab(), "FEWER kites", count=3)
    assert [one.index for one in all_of(updates, ima2.Artifact)] == [0, 1]
    assert only(updates, ima2.Failed).index == 2


async def test_a_picture_too_many_is_told(lab: Lab) -> None:
    updates = await draw(lab(), "MORE kites", count=2)
    assert len(all_of(updates, ima2.Artifact)) == 2
    assert only(updates, ima2.Notice).details == {"extraIgnored": 1}


async def test_what_was_really_used_is_read_from_the_answer(lab: Lab) -> None:
    prompt = "USEDsize_512x512 USEDquality_low USEDmodel_flux-schnell USEDformat_webp REVISED"
    made = only(await draw(lab(), prompt, model="flux-dev"), ima2.Artifact)
    assert (made.model, made.revised_prompt) == ("flux-schnell", "a boat, revised")
    assert made.used == {"size": "512x512", "quality": "low", "format": "webp"}


async def test_a_price_of_the_settings_is_the_cost_of_what_came(lab: Lab) -> None:
    provider = lab(usd_per_image=0.02)
    assert only(await draw(provider, "FEWER kites", count=3), ima2.Usage).cost == pytest.approx(0.04)
    assert provider.capabilities.prices[0].usd == 0.02


async def test_a_server_that_is_set_wrongly_is_not_asked(lab: Lab, world: World) -> None:
    error = await failure(lab(base_url="ftp://lab"))
    assert (error.code, error.status) == ("COMPATIBLE_NOT_READY", 503)
    assert not world.seen
