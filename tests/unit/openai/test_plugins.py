"""The two plugins as the host sees them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import SecretStr
from tests.unit.openai.conftest import Client

import ima2
import ima2.testing
from ima2_plugins.openai import api as api_plugin
from ima2_plugins.openai import oauth as oauth_plugin
from ima2_plugins.openai.settings import ApiSettings, OauthSettings


def provider(
    plugin: ModuleType, settings: Any, client: Client, origins: Mapping[str, str] | None = None
) -> ima2.Provider:
    context = dataclasses.replace(
        ima2.testing.context(Path("/nowhere"), settings), http=client, sources=dict(origins or {})
    )
    (one,) = plugin.ima2_providers(context)
    assert isinstance(one, ima2.Provider)
    return one


@pytest.mark.parametrize("module", ["ima2_plugins.openai.api", "ima2_plugins.openai.oauth"])
def test_a_front_door_imports_nothing_heavy(module: str) -> None:
    code = (
        f"import sys, {module}; print(*(set(sys.modules) & {{'httpx', 'pydantic', 'orjson', 'filelock', 'asyncio'}}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


async def test_each_door_offers_its_own_provider_and_only_one_is_the_default(client: Client) -> None:
    one = provider(api_plugin, api_plugin.ima2_settings()(), client)
    other = provider(oauth_plugin, oauth_plugin.ima2_settings()(), client)
    assert (one.id, one.is_default) == ("api", False)
    assert (other.id, other.is_default) == ("oauth", True)


async def test_the_declaration_follows_the_settings(client: Client) -> None:
    settings = ApiSettings(
        default_model="gpt-5.5", reasoning_effort="high", image_size="1536x1024", allow_web_search=False
    )
    able = provider(api_plugin, settings, client).capabilities
    assert (able.default_model, able.default_size) == ("gpt-5.5", "1536x1024")
    defaults = {option.name: option.default for option in able.options}
    assert defaults == {
        **{"reasoningEffort": "high", "webSearch": False, "mode": "auto", "drawingModel": "gpt-image-2"},
        **{"background": "auto", "compression": None, "inputFidelity": "auto", "complexity": "auto"},
    }
    wires = {option.name: option.wire for option in able.options if option.wire}
    assert wires == {
        "reasoningEffort": "reasoningEffort",
        "webSearch": "webSearchEnabled",
        "mode": "mode",
        "drawingModel": "drawingModel",
    }
    assert [model.id for model in able.models if model.supported][:3] == ["gpt-5.5", "gpt-5.4", "gpt-5.4-mini"]
    assert [model.id for model in able.models if not model.supported] == ["gpt-5.3-codex-spark"]
    assert able.code("MODEL_INVALID") == "INVALID_IMAGE_MODEL"
    assert able.code("MODEL_UNSUPPORTED") == "IMAGE_MODEL_UNSUPPORTED"
    assert able.code("REF_TOO_MANY") == "REF_TOO_MANY"


async def test_the_login_thinks_a_little_longer_by_default(client: Client) -> None:
    able = provider(oauth_plugin, OauthSettings(), client).capabilities
    effort = able.option("reasoningEffort")
    assert effort is not None
    assert (effort.default, effort.error_code) == ("medium", "INVALID_REASONING_EFFORT")
    assert (able.edit, able.mask, able.partials, able.sequence, able.max_references, able.max_count) == (
        True, True, 3, 8, 5, 8
    )  # fmt: skip


def test_settings_are_read_under_the_names_people_already_use() -> None:
    extra = {name: field.json_schema_extra for name, field in ApiSettings.model_fields.items()}
    assert extra["api_key"] == {"env": ["OPENAI_API_KEY"], "key": "apiKey"}
    assert extra["generation_timeout_ms"]["env"] == ["IMA2_OAUTH_GENERATION_TIMEOUT_MS"]  # type: ignore[index]
    port = OauthSettings.model_fields["proxy_port"].json_schema_extra
    assert port == {"env": ["IMA2_OAUTH_PROXY_PORT", "OAUTH_PORT"], "key": "oauth.proxyPort"}


async def test_clients_of_the_old_wire_find_the_fields_they_look_for(client: Client, home: Path) -> None:
    key = SecretStr("sk-1")
    one = provider(api_plugin, ApiSettings(api_key=key), client, {"api_key": "env"})
    assert one.about() == {"apiKey": True, "apiKeyDisabled": False, "apiKeySource": "env"}
    bare = provider(api_plugin, ApiSettings(), client)
    assert bare.about() == {"apiKey": False, "apiKeyDisabled": False, "apiKeySource": "none"}
    other = provider(oauth_plugin, OauthSettings(proxy_port=12345, assume_proxy=True), client)
    url = "http://127.0.0.1:12345"
    assert other.about() == {"oauth": True, "oauthPort": 12345, "oauthActualPort": 12345, "oauthUrl": url}
    assert other.runtime() == {"configuredPort": 12345, "actualPort": 12345, "url": url, "status": "ready"}
    nobody = provider(oauth_plugin, OauthSettings(), client).runtime()
    assert nobody is not None
    assert nobody["status"] == "failed"
