"""Settings and the front door."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import ima2
import ima2_provider_grok
from ima2_provider_grok.settings import GrokSettings


@pytest.mark.parametrize("field", ["base_url", "auth_url", "billing_url"])
@pytest.mark.parametrize(
    "url",
    ["http://api.x.ai/v1", "ftp://x.ai", "https://", "https://a:b@x.ai", "https://x.ai?q=1", "http://10.0.0.1/v1", "x"],
)
def test_only_https_or_this_machine_is_taken_as_an_upstream(field: str, url: str) -> None:
    with pytest.raises(ValidationError):
        GrokSettings.model_validate({field: url})


def test_addresses_lose_their_last_slash() -> None:
    assert GrokSettings(base_url="https://proxy.example/v1/").base_url == "https://proxy.example/v1"
    assert GrokSettings(base_url="http://127.0.0.1:9/v1").base_url == "http://127.0.0.1:9/v1"
    assert GrokSettings(proxy_host="::1", proxy_port=5).proxy_url == "http://[::1]:5/v1"


def test_the_key_is_not_shown() -> None:
    settings = GrokSettings.model_validate({"api_key": "xai-secret"})
    assert "xai-secret" not in repr(settings)


@pytest.mark.parametrize(
    "bad", [{"proxy_port": 0}, {"proxy_host": "a/b"}, {"planner_model": ""}, {"video_timeout_ms": 0}]
)
def test_what_cannot_work_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GrokSettings.model_validate(bad)


def test_commands_read_environment_then_config_then_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = {"xaiApiKey": "xai-config", "grokProvider": {"proxyPort": 5, "plannerModel": "grok-c"}}
    (tmp_path / "config.json").write_text(json.dumps(content))
    for name in ("XAI_API_KEY", "IMA2_GROK_PROXY_PORT", "IMA2_XAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IMA2_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("IMA2_GROK_PLANNER_MODEL", "grok-e")
    settings = ima2.command_context("grok").settings
    assert settings.api_key.get_secret_value() == "xai-config"
    assert (settings.proxy_port, settings.planner_model) == (5, "grok-e")
    assert settings.base_url == "https://api.x.ai/v1"
    monkeypatch.setenv("IMA2_PLUGINS__GROK__BASE_URL", "http://secret.example")
    with pytest.raises(ima2.Ima2Error, match="base_url") as caught:
        ima2.command_context("grok")
    assert "secret.example" not in caught.value.text


def test_the_front_door_offers_two_providers(tmp_path: Path) -> None:
    assert ima2_provider_grok.ima2_settings() is GrokSettings
    ctx = ima2.testing.context(tmp_path, GrokSettings(), name="grok")
    providers = ima2_provider_grok.ima2_providers(ctx)
    assert [provider.id for provider in providers] == ["grok", "grok-api"]
    assert providers[0].capabilities == providers[1].capabilities


def test_the_front_door_and_the_commands_import_nothing_heavy() -> None:
    program = (
        "import sys, ima2_provider_grok, ima2_provider_grok.commands;"
        "print([name for name in ('httpx', 'pydantic', 'PIL', 'tenacity', 'filelock') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
