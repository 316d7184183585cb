"""Words and vision, the probe, and what the front door costs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from tests.upstreams.asking import sent
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_gemini.catalogue import IMAGE_MODELS
from ima2_provider_gemini.provider import GeminiProvider

Providers = Callable[..., GeminiProvider]


async def test_words_come_from_the_text_model_without_its_thoughts(provider: GeminiProvider, world: World) -> None:
    pictures = (ima2.Picture(picture(), "image/png"), ima2.Picture(picture(fmt="JPEG"), "image/jpeg"))
    result = await provider.text(ima2.TextRequest("What is it?", "gemini-api", system="Be brief.", pictures=pictures))
    assert result.text == "I see 2 pictures. Told: Be brief."
    assert result.model == "gemini-3.5-flash"
    assert result.usage == {"promptTokens": 270, "candidatesTokens": 1120, "totalTokens": 1390}
    assert sent(world).path == "/v1beta/models/gemini-3.5-flash:generateContent"
    assert "generationConfig" not in sent(world).body


async def test_vertex_answers_in_words_too(make: Providers, account: str) -> None:
    provider = make(api_key=None, service_account=account)
    result = await provider.text(ima2.TextRequest("Plan a kite.", "gemini-api"))
    assert result.text == "I see 0 pictures. Told:"


@pytest.mark.parametrize(
    ("word", "code", "status"),
    [
        ("BLOCK", "GEMINI_API_SAFETY_BLOCKED", 400),
        ("NOPARTS", "GEMINI_API_NO_TEXT", 502),
        ("FAIL429", "GEMINI_API_RATE_LIMITED", 429),
    ],
)
async def test_no_words_is_an_error(provider: GeminiProvider, word: str, code: str, status: int) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await provider.text(ima2.TextRequest(word, "gemini-api"))
    assert (caught.value.code, caught.value.status) == (code, status)


async def test_a_model_name_cannot_lead_elsewhere(provider: GeminiProvider, world: World) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await provider.text(ima2.TextRequest("hello", "gemini-api", model="../../v1/x"))
    assert caught.value.code == "INVALID_GEMINI_API_TEXT_MODEL"
    assert world.seen == []


async def test_the_probe_names_the_models_that_may_be_used(provider: GeminiProvider, world: World) -> None:
    assert await provider.status() == ima2.ProviderStatus("ready", tuple(IMAGE_MODELS))
    world.state["gemini.models"] = ["gemini-3-pro-image"]
    assert (await provider.status()).models == ("nano-banana-pro",)
    world.state["gemini.models"] = []
    assert (await provider.status()).state == "no_image_model"
    assert world.calls(":generateContent") == []


async def test_the_probe_says_what_is_wrong(make: Providers, world: World, account: str) -> None:
    assert (await make(api_key=None).status()).state == "auth_required"
    assert (await make(api_key="AIzaWrong").status()).state == "auth_required"
    assert (await make(base_url="http://127.0.0.1:9").status()).state == "offline"
    vertex = make(api_key=None, service_account=account)
    assert (await vertex.status()).state == "ready"
    world.state["google.refuse"] = "invalid_grant"
    assert (await make(api_key=None, service_account=account).status()).state == "auth_required"
    world.state["gemini.hang"] = True
    assert (await make(status_timeout_ms=200).status()).state == "offline"


async def test_it_makes_no_clips(provider: GeminiProvider) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        provider.videos(ima2.VideoRequest("a kite", "gemini-api"), ima2.Job("job-1"))
    assert (caught.value.code, caught.value.status) == ("VIDEO_PROVIDER_UNSUPPORTED", 400)


def test_the_front_door_imports_nothing_heavy() -> None:
    code = (
        "import sys, ima2_provider_gemini; "
        "print(sorted({'httpx', 'pydantic', 'google.auth', 'PIL', 'fastapi'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_offering_the_provider_imports_neither_client_nor_signer() -> None:
    code = (
        "import sys, ima2_provider_gemini.provider; "
        "print(sorted({'httpx', 'google.auth', 'PIL', 'fastapi'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


async def test_earlier_turns_go_before_the_prompt(provider: GeminiProvider, world: World) -> None:
    turns = (ima2.Message("user", "Hello."), ima2.Message("assistant", "Hello to you."))
    await provider.text(ima2.TextRequest("Plan a kite.", provider.id, messages=turns))
    contents = sent(world).body["contents"]
    assert [(one["role"], one["parts"][-1]["text"]) for one in contents] == [
        ("user", "Hello."),
        ("model", "Hello to you."),
        ("user", "Plan a kite."),
    ]


async def test_a_json_schema_is_followed_in_googles_form(provider: GeminiProvider, world: World) -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string"},
            "mood": {"$ref": "#/$defs/mood"},
            "steps": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"const": "end"}]}},
            "note": {"type": ["string", "null"]},
        },
        "required": ["title"],
        "$defs": {"mood": {"enum": ["calm", "wild"], "type": "string"}},
    }
    result = await provider.text(ima2.TextRequest("Plan a kite.", provider.id, schema=schema))
    assert set(json.loads(result.text)) == {"title", "mood", "steps", "note"}
    config = sent(world).body["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseSchema"] == {
        "type": "OBJECT",
        "properties": {
            "title": {"type": "STRING"},
            "mood": {"type": "STRING", "enum": ["calm", "wild"]},
            "steps": {"type": "ARRAY", "items": {"anyOf": [{"type": "INTEGER"}, {"enum": ["end"]}]}},
            "note": {"type": "STRING", "nullable": True},
        },
        "required": ["title"],
    }


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"$ref": "#/$defs/none"}, {"items": 3}])
async def test_a_schema_that_cannot_be_sent_is_refused(
    provider: GeminiProvider, world: World, schema: dict[str, object]
) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await provider.text(ima2.TextRequest("Plan a kite.", provider.id, schema=schema))
    assert caught.value.code == "GEMINI_API_SCHEMA_INVALID"
    assert world.seen == []
