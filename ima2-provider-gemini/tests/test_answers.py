"""However the answer is written, what was paid for is taken; what was really used is read from it."""

from __future__ import annotations

import pytest
from tests.upstreams.asking import KITE, all_of, draw, failure, only
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_gemini.provider import GeminiProvider

PNG = picture(1024, 1024, seed=1)


@pytest.mark.parametrize("words", ["SNAKE", "DATAURL", "LINES", "URLSAFE", "DATAURL LINES URLSAFE SNAKE", "SECOND"])
async def test_a_picture_is_taken_in_any_wrapping(provider: GeminiProvider, words: str) -> None:
    updates = await draw(provider, f"a kite {words}")
    assert only(updates, ima2.Artifact).picture.data == PNG
    assert only(updates, ima2.Usage).tokens is not None
    assert not all_of(updates, ima2.Notice)


async def test_a_picture_that_google_keeps_as_a_file_is_fetched_with_the_key(
    provider: GeminiProvider, world: World
) -> None:
    updates = await draw(provider, "a kite FILE")
    assert only(updates, ima2.Artifact).picture.data == picture(seed=6)
    (call,) = world.calls("/files/kite")
    assert "x-goog-api-key" in call.headers


async def test_a_file_of_a_gateway_is_fetched_without_the_key(provider: GeminiProvider, world: World) -> None:
    updates = await draw(provider, "a kite FILE GATEWAY")
    assert only(updates, ima2.Artifact).picture.data == picture(seed=6)
    (call,) = world.calls("/gateway/kite.png")
    assert "x-goog-api-key" not in call.headers


@pytest.mark.parametrize(
    ("word", "uri"), [("ELSEWHERE", "gs://somewhere/kite.png"), ("PRIVATE", "https://127.0.0.1:9/kite.png")]
)
async def test_a_file_that_cannot_be_fetched_is_named_for_it_was_paid(
    provider: GeminiProvider, word: str, uri: str
) -> None:
    error = await failure(provider, f"a kite FILE {word}")
    assert (error.code, error.status) == ("GEMINI_API_PICTURE_ELSEWHERE", 502)
    assert error.details == {"fileUri": uri}


async def test_a_picture_that_ends_early_is_a_failure_that_keeps_what_came(provider: GeminiProvider) -> None:
    error = await failure(provider, "a kite HALF")
    assert isinstance(error, ima2.MediaError)
    assert (error.code, error.status) == ("PICTURE_INCOMPLETE", 502)
    assert PNG.startswith(error.data)


async def test_what_a_failed_attempt_took_is_told_too(provider: GeminiProvider) -> None:
    updates = provider.images(ima2.ImageRequest("NOTPICTURE", provider.id), ima2.Job("job-1"))
    usage = await anext(updates)
    with pytest.raises(ima2.Ima2Error, match="no image"):
        await anext(updates)
    assert isinstance(usage, ima2.Usage)
    assert usage.tokens == {"promptTokens": 270, "candidatesTokens": 1120, "totalTokens": 1390}


@pytest.mark.parametrize("words", ["TWO", "CANDIDATES"])
async def test_a_second_picture_is_told_where_one_was_asked_for(provider: GeminiProvider, words: str) -> None:
    updates = await draw(provider, f"a kite {words}")
    assert only(updates, ima2.Artifact).index == 0
    notice = only(updates, ima2.Notice)
    assert (notice.code, notice.details) == ("EXTRA_IMAGES_IGNORED", {"extraIgnored": 1})


@pytest.mark.parametrize("words", ["TWO", "CANDIDATES"])
async def test_a_story_keeps_every_picture_up_to_its_number(provider: GeminiProvider, words: str) -> None:
    updates = await draw(provider, f"a kite {words}", sequence=3)
    assert [one.index for one in all_of(updates, ima2.Artifact)] == [0, 1]
    assert only(updates, ima2.Usage).cost == 0.134
    assert not all_of(updates, ima2.Notice)


async def test_a_picture_too_many_takes_the_place_of_one_that_failed(
    provider: GeminiProvider, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = provider._service.generate, []

    async def once_only(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise ima2.Ima2Error("GEMINI_API_UPSTREAM_ERROR", 502, "It failed.")
        return await real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(provider._service, "generate", once_only)
    updates = await draw(provider, "a kite TWO", count=2)
    artifacts = all_of(updates, ima2.Artifact)
    assert sorted(one.index for one in artifacts) == [0, 1]
    assert len({one.picture.data for one in artifacts}) == 2
    assert not all_of(updates, ima2.Failed)


async def test_words_that_a_picture_parts_stay_apart(provider: GeminiProvider) -> None:
    artifact = only(await draw(provider, "a kite SPOKEN TWO", sequence=1), ima2.Artifact)
    assert artifact.revised_prompt == "One.\nTwo."


async def test_size_and_format_are_read_from_the_bytes(provider: GeminiProvider) -> None:
    artifact = only(await draw(provider, "a kite WEBP", size="1536x1024"), ima2.Artifact)
    assert artifact.used == {"format": "webp", "size": "2512x1680"}
    assert artifact.revised_prompt == "a kite WEBP"


async def test_the_model_that_really_drew_is_named(provider: GeminiProvider) -> None:
    assert only(await draw(provider), ima2.Artifact).model == "nano-banana-2"
    updates = await draw(provider, "a kite ROUTED", count=2)
    assert {one.model for one in all_of(updates, ima2.Artifact)} == {"gemini-3.6-flash"}
    notice = only(updates, ima2.Notice)
    assert notice.code == "MODEL_DIFFERS"
    assert notice.details == {"field": "model", "requested": "nano-banana-2", "used": "gemini-3.6-flash"}


async def test_another_size_than_was_wished_is_told(provider: GeminiProvider) -> None:
    updates = await draw(provider, model="gemini-nano-banana-2.1", size="1536x1024")
    assert only(updates, ima2.Notice).details == {"field": "size", "requested": "1536x1024", "used": "2512x1680"}
    assert not all_of(await draw(provider, model="gemini-nano-banana-2.1", size="2048x2048"), ima2.Notice)


async def test_an_answer_for_an_old_model_bears_the_warnings_that_clients_know(provider: GeminiProvider) -> None:
    assert not all_of(await draw(provider, "a kite SMALL", size="1536x1024"), ima2.Notice)


@pytest.mark.parametrize(
    ("model", "words", "size", "usd"),
    [
        ("nano-banana-2", "", "1536x1024", 0.101),
        ("nano-banana-2", "SMALL", "2048x2048", 0.045),
        ("nano-banana-pro", "SMALL", "2048x2048", 0.134),
        ("gemini-nano-banana-2.1", "", "1024x1024", 0.034),
        ("gemini-nano-banana-2.1", "DETAILS", "2048x2048", 0.0504),
        ("gemini-3.1-flash-lite-image", "", "1024x1024", None),
        ("nano-banana-2", "TWO", "1024x1024", 0.134),
    ],
)
async def test_a_picture_is_billed_at_the_size_it_really_has(
    provider: GeminiProvider, model: str, words: str, size: str, usd: float | None
) -> None:
    usage = only(await draw(provider, f"{KITE} {words}", model=model, size=size), ima2.Usage)
    assert usage.cost == usd


async def test_pictures_that_go_in_cost_where_they_have_a_price(provider: GeminiProvider) -> None:
    pictures = (ima2.Picture(PNG, "image/png"),) * 2
    usage = only(await draw(provider, model="nano-banana-pro", references=pictures), ima2.Usage)
    assert usage.cost == 0.1362


async def test_thoughts_are_counted_as_they_are_billed(provider: GeminiProvider) -> None:
    usage = only(await draw(provider, "a kite THINKS THOUGHT"), ima2.Usage)
    assert usage.tokens == {"promptTokens": 270, "candidatesTokens": 1120, "thoughtsTokens": 320, "totalTokens": 1710}


async def test_an_order_is_marked_right_before_what_costs(provider: GeminiProvider, world: World) -> None:
    marks: list[int] = []

    async def mark() -> None:
        marks.append(len(world.calls(":generateContent")))

    job = ima2.Job("job-1", on_order=mark)
    assert [one async for one in provider.images(ima2.ImageRequest(KITE, provider.id), job)]
    assert marks == [0]
