"""From config.json to providers, and what they tell about themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr
from tests.unit.openai_compatible.conftest import KEY, Lab
from tests.upstreams.world import World

import ima2
from ima2.settings.rows import of_plugin
from ima2_plugins import openai_compatible
from ima2_plugins.openai_compatible.servers import slug
from ima2_plugins.openai_compatible.settings import CompatibleSettings, is_private

Make = Callable[..., Any]
VARIABLE = "IMA2_PLUGINS__OPENAI_COMPATIBLE__SERVERS"


def servers(world: World, **more: object) -> dict[str, str]:
    lab = {"base_url": f"{world.base_url}/v1", "models": ["flux-dev"], "title": "The lab"}
    return {VARIABLE: json.dumps({"lab": lab, **more})}


async def test_each_server_is_a_provider_and_a_bad_one_stops_no_other(ima2_runtime: Make, world: World) -> None:
    more = {"Bad One": {"base_url": "nowhere", "api_key": KEY}, "api": {"base_url": "http://127.0.0.1:9"}, "empty": {}}
    async with ima2_runtime(environ=servers(world, **more), openai_compatible=openai_compatible) as runtime:
        found = runtime.registry.providers
        assert list(found) == ["lab", "bad-one", "api-server", "empty"]
        assert (found["lab"].title, found["lab"].problem()) == ("The lab", None)
        assert "base_url" in str(found["bad-one"].problem())
        assert KEY not in str(found["bad-one"].problem())
        assert "base_url" in str(found["empty"].problem())


async def test_a_picture_comes_through_the_studio(ima2_client: Make, world: World) -> None:
    async with ima2_client(environ=servers(world), openai_compatible=openai_compatible) as client:
        body = {"prompt": "a kite", "provider": "lab", "model": "flux-dev"}
        answer = await client.post("/api/generate", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["usage"]["total_tokens"] == 42
        refused = await client.post("/api/generate", json={**body, "model": "flux-x"})
        assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_IMAGE_MODEL")


async def test_what_several_calls_took_adds_up(ima2_client: Make, world: World) -> None:
    lab = {"base_url": f"{world.base_url}/v1", "batch": False, "usd_per_image": 0.5}
    async with ima2_client(environ={VARIABLE: json.dumps({"lab": lab})}, openai_compatible=openai_compatible) as client:
        answer = (await client.post("/api/generate", json={"prompt": "kites", "provider": "lab", "n": 3})).json()
        assert len(answer["images"]) == 3
        assert answer["usage"]["total_tokens"] == 126
        assert answer["cost"] == pytest.approx(1.5)


async def test_a_model_that_nobody_declared_is_sent_on_request_and_told(ima2_client: Make, world: World) -> None:
    async with ima2_client(environ=servers(world), openai_compatible=openai_compatible) as client:
        body = {"prompt": "a kite", "provider": "lab", "model": "flux-x", "allowUnknownModel": True}
        answer = await client.post("/api/generate", json=body)
        assert [one["code"] for one in answer.json()["warnings"]] == ["MODEL_UNKNOWN"]
        assert world.calls("/images")[0].body["model"] == "flux-x"


def test_a_name_becomes_an_id() -> None:
    assert [slug(name) for name in ("LocalAI", "My box!", "gpu_1", "ß")] == ["localai", "my-box", "gpu_1", "server"]


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://192.168.1.5/v1", True),
        ("http://[::1]:5001/v1", True),
        ("http://localai:8080", True),
        ("http://box.lan:8080", True),
        ("https://gateway.example.com/v1", True),
        ("http://gateway.example.com/v1", False),
        ("http://93.184.216.34/v1", False),
    ],
)
def test_where_a_key_may_go(url: str, private: bool) -> None:
    assert is_private(url) is private


def test_a_key_is_not_sent_in_the_open(lab: Lab) -> None:
    assert "unprotected" in str(lab(base_url="http://gateway.example.com/v1", api_key=KEY).problem())
    assert lab(base_url="http://gateway.example.com/v1").problem() is None


async def test_a_key_may_stand_in_a_variable(lab: Lab, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.state["compatible.key"] = KEY
    provider = lab(api_key_env="LAB_KEY")
    assert "LAB_KEY" in str(provider.problem())
    monkeypatch.setenv("LAB_KEY", KEY)
    assert (await provider.status()).state == "ready"


async def test_status_tells_what_is_wrong(lab: Lab, world: World) -> None:
    assert (await lab().status()).models == ("flux-dev",)
    assert (await lab(base_url="http://127.0.0.1:9/v1").status()).state == "offline"
    world.state["compatible.key"] = KEY
    assert (await lab(api_key="wrong").status()).state == "auth_required"
    world.state["compatible.models"] = None
    assert (await lab().status()).state == "ready"


async def test_a_key_is_verified_before_it_is_stored(lab: Lab, world: World) -> None:
    world.state["compatible.key"] = KEY
    assert (await lab().verify({"api_key": KEY})).state == "ready"
    assert (await lab(api_key=KEY).verify({"api_key": "wrong"})).state == "auth_required"


async def test_models_that_the_settings_do_not_name_are_those_of_the_list(lab: Lab, world: World) -> None:
    world.state["compatible.models"] = [
        {"id": "sdxl"},
        {"id": "llama", "type": "chat"},
        {"id": 7},
        "odd",
        {"id": "a b"},
    ]
    provider = lab(models=[])
    assert [(one.id, one.media) for one in await provider.models()] == [("sdxl", "image"), ("llama", "text")]
    assert [one.id for one in provider.capabilities.models] == ["sdxl", "llama"]
    stays = lab()
    await stays.models()
    assert [one.id for one in stays.capabilities.models] == ["flux-dev"]


async def test_new_settings_count_from_the_next_call(lab: Lab, world: World) -> None:
    world.state["compatible.key"] = KEY
    provider = lab()
    assert (await provider.status()).state == "auth_required"
    entry = {"base_url": f"{world.base_url}/v1", "api_key": SecretStr(KEY), "max_count": 8}
    await provider.reconfigure(CompatibleSettings(servers={"lab": entry}))
    assert (await provider.status()).state == "ready"
    assert provider.capabilities.max_count == 8
    await provider.reconfigure(CompatibleSettings(servers={}))
    assert provider.problem() == "It is no longer in the settings."


def test_what_a_server_does_not_have_is_not_declared(lab: Lab) -> None:
    able = lab(edits=False, words=False, sizes=["512x512"], max_count=1).capabilities
    assert (able.edit, able.max_references, able.text, able.max_count) == (False, 0, False, 1)
    assert (able.sizes.free, able.default_size) == (False, "512x512")
    only_words = lab(images=False, edits=False)
    assert only_words.capabilities.media == ()
    assert isinstance(only_words, ima2.Provider)


def test_a_key_of_a_server_is_never_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"base_url": "http://127.0.0.1:9", "api_key": KEY}
    monkeypatch.setenv(VARIABLE, json.dumps({"lab": entry}))
    (row,) = of_plugin("openai_compatible", CompatibleSettings)
    assert row["value"]["lab"] == {**entry, "api_key": "<redacted>"}
