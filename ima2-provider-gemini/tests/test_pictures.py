"""One call a picture: what is sent, what comes back, what it cost."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.upstreams.asking import KITE, all_of, draw, failure, only, sent
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_gemini.provider import GeminiProvider

PNG, JPEG, WEBP = (ima2.Picture(picture(fmt=fmt), f"image/{fmt.lower()}") for fmt in ("PNG", "JPEG", "WEBP"))


async def test_a_picture_comes_with_its_tokens_and_its_price(provider: GeminiProvider, world: World) -> None:
    updates = await draw(provider)
    artifact = only(updates, ima2.Artifact)
    assert artifact.picture == ima2.Picture(picture(1024, 1024, seed=1), "image/png")
    assert artifact.revised_prompt == KITE
    usage = only(updates, ima2.Usage)
    assert usage.tokens == {"promptTokens": 270, "candidatesTokens": 1120, "totalTokens": 1390}
    assert usage.cost == 0.067
    assert sent(world).path == "/v1beta/models/gemini-3.1-flash-image:generateContent"
    assert sent(world).body["generationConfig"] == {
        "responseModalities": ["TEXT", "IMAGE"],
        "imageConfig": {"aspectRatio": "1:1", "imageSize": "1K"},
    }


async def test_the_key_travels_in_a_header_only(provider: GeminiProvider, world: World) -> None:
    await draw(provider)
    call = sent(world)
    assert call.headers["x-goog-api-key"] == "AIzaTest-key-0123456789"
    assert "AIza" not in call.path + str(call.body)
    assert "authorization" not in call.headers


async def test_the_words_of_the_answer_are_the_revised_prompt(provider: GeminiProvider) -> None:
    artifact = only(await draw(provider, "a kite WORDS"), ima2.Artifact)
    assert artifact.revised_prompt == "A red kite over dunes, drawn at dusk."


@pytest.mark.parametrize(("word", "seed"), [("TWO", 2), ("THOUGHT", 1)])
async def test_the_last_picture_that_is_no_thought_counts(provider: GeminiProvider, word: str, seed: int) -> None:
    artifact = only(await draw(provider, f"a kite {word}"), ima2.Artifact)
    assert artifact.picture.data == picture(1024, 1024, seed=seed)
    assert artifact.revised_prompt == f"a kite {word}"


@pytest.mark.parametrize("fmt", ["JPEG", "WEBP"])
async def test_the_media_type_is_what_the_bytes_are(provider: GeminiProvider, fmt: str) -> None:
    artifact = only(await draw(provider, f"a kite {fmt}"), ima2.Artifact)
    assert artifact.picture.media_type == f"image/{fmt.lower()}"


async def test_an_answer_without_token_counts_still_has_a_price(provider: GeminiProvider) -> None:
    usage = only(await draw(provider, "a kite NOUSAGE", size="2048x2048"), ima2.Usage)
    assert usage.tokens is None
    assert usage.cost == 0.101


async def test_the_source_goes_first_then_the_references_then_the_words(provider: GeminiProvider, world: World) -> None:
    await draw(provider, "make the sky stormy", source=PNG, references=(JPEG, WEBP))
    (content,) = sent(world).body["contents"]
    assert content["role"] == "user"
    *pictures, words = content["parts"]
    assert [part["inlineData"]["mimeType"] for part in pictures] == ["image/png", "image/jpeg", "image/webp"]
    assert base64.b64decode(pictures[0]["inlineData"]["data"]) == PNG.data
    assert words["text"].endswith("make the sky stormy")


async def test_a_sniffed_type_wins_over_a_declared_one(provider: GeminiProvider, world: World) -> None:
    await draw(provider, references=(ima2.Picture(JPEG.data, "image/png"),))
    assert sent(world).body["contents"][0]["parts"][0]["inlineData"]["mimeType"] == "image/jpeg"


async def test_several_pictures_are_several_calls_at_once(provider: GeminiProvider, world: World) -> None:
    world.delay = 0.4
    begun = time.monotonic()
    updates = await draw(provider, count=3)
    assert time.monotonic() - begun < 1.1
    assert sorted(one.index for one in all_of(updates, ima2.Artifact)) == [0, 1, 2]
    assert len(all_of(updates, ima2.Usage)) == len(world.calls(":generateContent")) == 3


async def test_each_failed_candidate_is_told_by_its_place(provider: GeminiProvider) -> None:
    failed = all_of(await draw(provider, "FAIL500 kite", count=2), ima2.Failed)
    assert sorted(one.index for one in failed) == [0, 1]
    assert {getattr(one.error, "code", "") for one in failed} == {"GEMINI_API_UPSTREAM_ERROR"}


async def test_a_story_is_one_call_that_asks_for_its_pictures(provider: GeminiProvider, world: World) -> None:
    assert only(await draw(provider, sequence=3), ima2.Artifact).index == 0
    assert "3 separate pictures" in sent(world).body["contents"][0]["parts"][-1]["text"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"references": (PNG,) * 4}, "GROK_REF_TOO_MANY"),
        ({"source": PNG, "references": (PNG,) * 3}, "GROK_REF_TOO_MANY"),
        ({"source": PNG, "mask": PNG}, "GEMINI_API_MASK_UNSUPPORTED"),
        ({"model": "gpt-5.4"}, "INVALID_GEMINI_API_IMAGE_MODEL"),
        ({"size": "huge"}, "INVALID_SIZE"),
        ({"references": (ima2.Link("https://pictures.example/1.png"),)}, "GEMINI_API_LINK_UNSUPPORTED"),
        ({"references": (ima2.Picture(b"GIF89a", "image/gif"),)}, "GEMINI_API_REF_UNSUPPORTED"),
    ],
)
async def test_what_it_cannot_do_is_refused_before_anything_is_sent(
    provider: GeminiProvider, world: World, fields: dict[str, Any], code: str
) -> None:
    error = await failure(provider, **fields)
    assert (error.code, error.status) == (code, 400)
    assert world.seen == []


async def test_the_capabilities_name_the_same_codes() -> None:
    able = GeminiProvider.capabilities
    assert able.code("REF_TOO_MANY") == "GROK_REF_TOO_MANY"
    assert able.code("MASK_UNSUPPORTED") == "GEMINI_API_MASK_UNSUPPORTED"
    assert able.code("MODEL_INVALID") == "INVALID_GEMINI_API_IMAGE_MODEL"
    assert able.code("VIDEO_UNSUPPORTED") == "VIDEO_PROVIDER_UNSUPPORTED"
    assert able.code("THINKING_UNSUPPORTED") == "GEMINI_API_THINKING_UNSUPPORTED"
    assert (able.max_references, able.sequence, able.mask, able.edit, able.text) == (3, 8, False, True, True)


async def test_what_google_calls_the_models_is_a_setting(make: Callable[..., GeminiProvider], world: World) -> None:
    provider = make(nano_banana_2="gemini-3-pro-image")
    await draw(provider, model="nano-banana-2")
    assert sent(world).path == "/v1beta/models/gemini-3-pro-image:generateContent"


async def test_a_canceled_job_hangs_up(provider: GeminiProvider, world: World) -> None:
    task = asyncio.create_task(draw(provider, "HANG", count=2))
    while len(world.calls(":generateContent")) < 2:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(world.calls(":generateContent")) == 2
