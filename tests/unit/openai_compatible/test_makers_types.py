"""What is sent and read, held against OpenAI's own published types, so that a drift shows.

Needs the extra ``wire`` (the package openai); without it these tests are skipped and say so.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import TypeAdapter
from tests.unit.openai_compatible.conftest import Lab
from tests.upstreams.asking import all_of, draw, sent
from tests.upstreams.world import World, picture

import ima2

WHY = "openai is not installed (the extra `wire`): OpenAI's types are not compared"
generate: Any = pytest.importorskip("openai.types.image_generate_params", reason=WHY)
edit: Any = pytest.importorskip("openai.types.image_edit_params", reason=WHY)
answers: Any = pytest.importorskip("openai.types.images_response", reason=WHY)
chat: Any = pytest.importorskip("openai.types.chat.completion_create_params", reason=WHY)
listed: Any = pytest.importorskip("openai.types.model", reason=WHY)

PNG = ima2.Picture(picture(), "image/png")
EVERYTHING = {"formats": ["png", "webp"], "moderation": True, "qualities": ["low", "high"], "masks": True}


@pytest.mark.parametrize("response_format", ["auto", "b64_json", "url", "none"])
async def test_a_body_for_pictures_is_one_that_the_sdk_could_have_sent(
    lab: Lab, world: World, response_format: str
) -> None:
    provider = lab(**EVERYTHING, response_format=response_format)
    await draw(provider, count=2, size="512x512", quality="high", format="webp", model="flux-dev")
    body = sent(world, "/generations").body
    assert set(body) <= set(generate.ImageGenerateParamsBase.__annotations__)
    TypeAdapter(generate.ImageGenerateParamsNonStreaming).validate_python(body)


async def test_a_form_for_an_edit_has_only_fields_of_the_sdk(lab: Lab, world: World) -> None:
    await draw(lab(**EVERYTHING), source=PNG, references=(PNG,), mask=PNG, quality="high")
    names = {name.removesuffix("[]") for name in sent(world, "/edits").body}
    assert names <= set(edit.ImageEditParamsBase.__annotations__)


async def test_a_call_for_words_is_one_of_the_sdk_too(lab: Lab, world: World) -> None:
    turns = (ima2.Message("user", "Hello"), ima2.Message("assistant", "Good day"))
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    provider = lab(text_models=["llama-lab"])
    request = ima2.TextRequest("Boats.", "lab", system="x", messages=turns, schema=schema, pictures=(PNG,))
    await provider.text(request)
    TypeAdapter(chat.CompletionCreateParamsNonStreaming).validate_python(sent(world, "/chat/completions").body)


async def test_an_answer_built_by_the_sdk_is_read_rightly(lab: Lab, world: World) -> None:
    text = picture(seed=5)
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 10},
        "output_tokens": 20,
        "total_tokens": 30,
    }
    built = answers.ImagesResponse.model_validate(
        {
            "created": 1,
            "background": "opaque",
            "output_format": "webp",
            "quality": "low",
            "size": "1024x1536",
            "usage": usage,
            "data": [{"b64_json": base64.b64encode(text).decode(), "revised_prompt": "a boat"}],
        }
    )
    world.state["compatible.answer"] = built.model_dump(mode="json")
    updates = await draw(lab(), "kite")
    (made,) = all_of(updates, ima2.Artifact)
    assert made.picture.data == text
    assert made.used == {"size": "1024x1536", "quality": "low", "background": "opaque", "format": "webp"}
    (used,) = all_of(updates, ima2.Usage)
    assert used.tokens is not None
    assert used.tokens["total_tokens"] == 30


async def test_what_the_fake_answers_is_of_the_sdks_shape(lab: Lab, world: World, client: Any) -> None:
    base = f"{world.base_url}/v1"
    pictures = await client().post(f"{base}/images/generations", json={"prompt": "REVISED", "n": 2})
    assert len(answers.ImagesResponse.model_validate(pictures.json()).data) == 2
    for row in (await client().get(f"{base}/models")).json()["data"]:
        listed.Model.model_validate(row)
