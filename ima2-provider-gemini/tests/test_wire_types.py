"""What is sent and what is read, held against Google's own published types (package ``google-genai``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse
from tests.upstreams import gemini_answers
from tests.upstreams.asking import all_of, draw, failure, only
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_gemini.provider import GeminiProvider
from ima2_provider_gemini.reasons import REASONS

types: Any = pytest.importorskip("google.genai.types", reason="google-genai (extra wire) is not installed")
PNG = ima2.Picture(picture(), "image/png")
Answer = Callable[..., None]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Has the fake answer with a response made of Google's types."""

    def use(**fields: Any) -> None:
        response = types.GenerateContentResponse(**fields)
        body = response.model_dump(mode="json", by_alias=True, exclude_none=True)
        monkeypatch.setattr(gemini_answers, "answer", lambda *_: JSONResponse(body))

    return use


def candidate(*parts: Any, **more: Any) -> Any:
    """A candidate of Google's types."""
    return types.Candidate(content=types.Content(role="model", parts=list(parts)), **more)


def drawn(**more: Any) -> Any:
    """A part that is a picture."""
    blob = types.Blob(mime_type="image/png", data=picture(seed=4))
    return types.Part(inline_data=blob, **more)


async def test_every_body_that_is_sent_is_one_of_googles(provider: GeminiProvider, world: World) -> None:
    new = "gemini-nano-banana-2.1"
    await draw(provider, size="1536x1024", source=PNG, references=(PNG,))
    await draw(provider, model=new, options={"thinkingLevel": "minimal"}, sequence=2)
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": ["integer", "null"]}}}
    turns = (ima2.Message("assistant", "Hello."),)
    await provider.text(ima2.TextRequest("Hi.", provider.id, system="Be brief.", messages=turns, schema=schema))
    for call in world.calls(":generateContent"):
        body = dict(call.body)
        assert [types.Content.model_validate(one) for one in body.pop("contents")]
        types.GenerateContentConfig.model_validate(body.pop("generationConfig", {}))
        types.Content.model_validate(body.pop("systemInstruction", {}))
        assert body == {}


async def test_every_shape_of_an_answer_is_read(provider: GeminiProvider, answer: Answer) -> None:
    details = [types.ModalityTokenCount(modality="IMAGE", token_count=1120)]
    usage = types.GenerateContentResponseUsageMetadata(
        prompt_token_count=9,
        candidates_token_count=1120,
        thoughts_token_count=50,
        total_token_count=1179,
        candidates_tokens_details=details,
    )
    parts = (types.Part(text="hm", thought=True), drawn(thought=True), types.Part(text="Here."), drawn(), drawn())
    answer(
        candidates=[candidate(*parts, finish_reason="STOP")], usage_metadata=usage, model_version="gemini-3-pro-image"
    )
    updates = await draw(provider, model="nano-banana-pro")
    artifact = only(updates, ima2.Artifact)
    assert (artifact.picture.data, artifact.revised_prompt) == (picture(seed=4), "Here.")
    assert only(updates, ima2.Notice).code == "EXTRA_IMAGES_IGNORED"
    assert only(updates, ima2.Usage).tokens == {
        "promptTokens": 9,
        "candidatesTokens": 1120,
        "thoughtsTokens": 50,
        "totalTokens": 1179,
    }


async def test_a_file_of_googles_types_is_fetched(provider: GeminiProvider, world: World, answer: Answer) -> None:
    part = types.Part(file_data=types.FileData(file_uri=f"{world.base_url}/v1beta/files/kite", mime_type="image/png"))
    answer(candidates=[candidate(part)])
    assert all_of(await draw(provider), ima2.Artifact)


@pytest.mark.parametrize("reason", [one.value for one in types.FinishReason])
async def test_every_finish_reason_of_googles_has_its_error(
    provider: GeminiProvider, answer: Answer, reason: str
) -> None:
    answer(candidates=[types.Candidate(finish_reason=reason)])
    error = await failure(provider)
    assert error.code in ("GEMINI_API_SAFETY_BLOCKED", "GEMINI_API_NO_IMAGE")
    assert reason in REASONS or reason == "FINISH_REASON_UNSPECIFIED"


@pytest.mark.parametrize("reason", [one.value for one in types.BlockedReason])
async def test_every_block_reason_of_googles_is_a_refusal(
    provider: GeminiProvider, answer: Answer, reason: str
) -> None:
    answer(prompt_feedback=types.GenerateContentResponsePromptFeedback(block_reason=reason))
    error = await failure(provider)
    assert (error.code, error.details["failureKind"]) == ("GEMINI_API_SAFETY_BLOCKED", "refused")


def test_the_thinking_levels_are_googles() -> None:
    option = GeminiProvider.capabilities.option("thinkingLevel")
    assert option is not None
    assert {value.upper() for value in option.values[1:]} <= {one.value for one in types.ThinkingLevel}
