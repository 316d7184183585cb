"""Words by chat completions."""

from __future__ import annotations

import json

import pytest
from tests.unit.openai_compatible.conftest import Lab
from tests.upstreams.asking import sent
from tests.upstreams.world import World, picture

import ima2

SCHEMA = {"type": "object", "properties": {"boats": {"type": "array"}}}


async def say(provider: ima2.Provider, prompt: str = "Name boats.", **fields: object) -> ima2.TextResult:
    return await provider.text(ima2.TextRequest(prompt, provider.id, **fields))  # type: ignore[arg-type]


async def test_words_after_earlier_turns(lab: Lab, world: World) -> None:
    turns = (ima2.Message("user", "Hello."), ima2.Message("assistant", "Hello!"))
    found = await say(lab(text_models=["llama-lab"]), system="Be short.", messages=turns)
    assert (found.text, found.model) == ("A sloop, a yawl, a ketch.", "llama-lab")
    assert found.usage == {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
    body = sent(world, "/chat/completions").body
    assert body["model"] == "llama-lab"
    assert [one["role"] for one in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["messages"][-1]["content"] == "Name boats."


async def test_pictures_go_along_as_they_are(lab: Lab, world: World) -> None:
    await say(lab(), pictures=(ima2.Picture(picture(), "image/png"),))
    parts = sent(world, "/chat/completions").body["messages"][-1]["content"]
    assert parts[1]["image_url"]["url"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("prompt", ["Boats.", "FENCED boats."])
async def test_a_schema_makes_the_answer_one_json_document(lab: Lab, world: World, prompt: str) -> None:
    found = await say(lab(), prompt, schema=SCHEMA)
    assert json.loads(found.text) == {"boats": ["sloop"]}
    form = sent(world, "/chat/completions").body["response_format"]
    assert form == {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}


async def test_words_in_parts_are_put_together(lab: Lab) -> None:
    assert (await say(lab(), "PARTS")).text == "A sloop and a yawl."


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("FILTERED", "SAFETY_REFUSAL"),
        ("REFUSALFIELD", "SAFETY_REFUSAL"),
        ("LENGTH", "TEXT_INCOMPLETE"),
        ("SILENT", "TEXT_EMPTY"),
        ("NOTJSON", "TEXT_NOT_JSON"),
        ("FAIL429", "RATE_LIMITED"),
    ],
)
async def test_words_that_did_not_come_say_why(lab: Lab, word: str, code: str) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await say(lab(), word, schema=SCHEMA if word == "NOTJSON" else None)
    assert caught.value.code == code


async def test_a_server_without_words_refuses(lab: Lab) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await say(lab(words=False))
    assert caught.value.code == "COMPATIBLE_TEXT_UNSUPPORTED"
