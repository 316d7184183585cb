"""Accounts of the real providers, over a real server, against fakes of their services."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import IMA2, Serve, Served
from tests.flow.cli import Cli, until
from tests.upstreams import chatgpt, gemini, responses, xai
from tests.upstreams.world import World, running

OPENAI_KEY, GEMINI_KEY = "sk-test-0123456789abcdef", "AIzaTest0123456789"
PLUGINS = "accounts,local_storage,sse,openai_api,oauth,grok,gemini"


@pytest.fixture
def openai() -> Iterator[World]:
    world = World()
    with running(world, responses.routes(world)):
        yield world


@pytest.fixture
def codex() -> Iterator[World]:
    world = World()
    with running(world, chatgpt.backend(world)):
        yield world


@pytest.fixture
def grok() -> Iterator[World]:
    world = World()
    with running(world, xai.routes(world)):
        yield world


@pytest.fixture
def google() -> Iterator[World]:
    world = World()
    with running(world, gemini.routes(world)):
        yield world


def codex_environment(world: World) -> dict[str, str]:
    base = world.base_url
    return {
        "IMA2_CHATGPT_BASE_URL": f"{base}/backend-api/codex",
        "IMA2_OPENAI_AUTH_URL": f"{base}/oauth/token",
        "IMA2_OAUTH_PROXY_PORT": "9",
    }


def typed(served: Served, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of a person, or a pipe, that types something."""
    command, more = [str(IMA2), *arguments], {"capture_output": True, "text": True, "timeout": 60, "check": False}
    return subprocess.run(command, env=dict(served.environ), input=text, **more)  # type: ignore[call-overload, no-any-return]


def keys(served: Served) -> dict[str, Any]:
    found: dict[str, Any] = served.client.get("/api/keys/status").json()
    return found


def test_a_stored_key_draws_at_once_and_after_a_restart(serve: Serve, openai: World) -> None:
    served = serve(plugins=PLUGINS, IMA2_OPENAI_BASE_URL=f"{openai.base_url}/v1")
    body = {"prompt": "a kite", "provider": "api"}
    assert served.client.post("/api/generate", json=body).status_code == 401
    answer = served.client.put("/api/keys/openai", json={"apiKey": OPENAI_KEY})
    assert answer.json() == {"ok": True, "provider": "openai", "source": "config", "valid": True}
    assert served.client.post("/api/generate", json=body).status_code == 200
    assert served.client.get("/api/providers").json()["apiKeySource"] == "config"
    served.stop()
    served.start()
    assert keys(served)["openai"]["maskedKey"] == "sk-t..ef"
    assert served.client.post("/api/generate", json=body).status_code == 200
    assert served.client.delete("/api/keys/openai").json()["removed"] is True
    assert served.client.post("/api/generate", json=body).status_code == 401
    assert OPENAI_KEY not in served.log


def test_keys_of_each_maker_are_tried_out_where_they_belong(serve: Serve, grok: World, google: World) -> None:
    served = serve(plugins=PLUGINS, IMA2_XAI_BASE_URL=f"{grok.base_url}/xai/v1", IMA2_GEMINI_BASE_URL=google.base_url)
    assert served.client.put("/api/keys/xai", json={"apiKey": xai.KEY}).status_code == 200
    assert served.client.put("/api/keys/gemini", json={"apiKey": GEMINI_KEY}).status_code == 200
    refused = served.client.put("/api/keys/xai", json={"apiKey": "xai-somebody-elses-key"})
    assert refused.json()["code"] == "KEY_VALIDATION_FAILED"
    document = json.loads((served.home / "config.json").read_text())
    assert document == {"xaiApiKey": xai.KEY, "geminiApiKey": GEMINI_KEY, "geminiAuthMode": "apikey"}


def test_an_upstream_that_cannot_be_reached_is_told_as_that(serve: Serve) -> None:
    served = serve(plugins=PLUGINS, IMA2_OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    refused = served.client.put("/api/keys/openai", json={"apiKey": OPENAI_KEY})
    assert (refused.status_code, refused.json()["code"]) == (502, "KEY_NOT_VALIDATED")
    assert served.client.put("/api/keys/openai", json={"apiKey": OPENAI_KEY, "unchecked": True}).status_code == 200


def test_a_chatgpt_login_made_by_code_draws_at_once_and_tells_its_quota(serve: Serve, codex: World) -> None:
    codex.state["chatgpt.usage"] = (
        {"plan_type": "plus", "rate_limit": {"primary_window": {"used_percent": 12, "limit_window_seconds": 18000}}},
        200,
    )
    served = serve(plugins=PLUGINS, **codex_environment(codex))
    assert served.client.get("/api/quota").json()["codex"]["authenticated"] is False
    begun = served.client.post("/api/auth/switch", json={"provider": "codex"}).json()
    assert begun["userCode"] == "ABCD-12345"
    path = f"/api/auth/switch/{begun['sessionId']}"
    until(lambda: served.client.get(path).json()["status"] == "complete")
    stored = served.home / ".codex" / "auth.json"
    assert stored.stat().st_mode & 0o777 == 0o600
    quota = served.client.get("/api/quota").json()["codex"]
    assert (quota["windows"][0]["percent"], quota["account"]["plan"]) == (12, "plus")
    drawn = served.client.post("/api/generate", json={"prompt": "a kite", "provider": "oauth"})
    assert drawn.status_code == 200, drawn.text
    out = served.client.post("/api/auth/logout", json={"provider": "codex"}).json()
    assert (out["removed"], stored.exists()) == (True, False)


def test_a_login_that_is_refused_leaves_the_stored_one_alone(serve: Serve, grok: World) -> None:
    grok.state |= {"xai.device": ["access_denied"], "xai.interval": 0}
    served = serve(plugins=PLUGINS, IMA2_XAI_AUTH_URL=f"{grok.base_url}/xai-auth", IMA2_XAI_BASE_URL=grok.base_url)
    file = served.home / ".progrok" / "auth.json"
    file.parent.mkdir()
    file.write_text('{"accessToken": "old"}')
    begun = served.client.post("/api/auth/switch", json={"provider": "grok"}).json()
    assert begun["userCode"] == "ABCD-1234"
    path = f"/api/auth/switch/{begun['sessionId']}"
    state = until(lambda: (told := served.client.get(path).json())["status"] != "pending" and told, 20)
    assert state["status"] == "error"
    assert file.read_text() == '{"accessToken": "old"}'


def test_the_bill_says_what_a_key_may_see(serve: Serve, openai: World) -> None:
    served = serve(plugins=PLUGINS, IMA2_OPENAI_BASE_URL=f"{openai.base_url}/v1", OPENAI_API_KEY=OPENAI_KEY)
    bill = served.client.get("/api/billing").json()
    assert (bill["oauth"], bill["apiKeyValid"], bill["apiKeySource"]) == (True, True, "env")
    assert "costs" not in bill


def test_the_planner_that_was_chosen_is_kept(serve: Serve) -> None:
    served = serve(plugins=PLUGINS)
    assert served.client.patch("/api/config/grok-planner", json={"model": "gpt-5.4"}).json() == {"model": "gpt-5.4"}
    assert served.client.patch("/api/config/grok-planner", json={"model": "gpt-9"}).status_code == 400
    served.stop()
    served.start()
    assert served.client.get("/api/config/grok-planner").json()["model"] == "gpt-5.4"


def test_the_command_line_stores_shows_and_removes_keys_without_a_server(serve: Serve, openai: World) -> None:
    served = serve(plugins=PLUGINS, IMA2_OPENAI_BASE_URL=f"{openai.base_url}/v1")
    ima2 = Cli(IMA2, served.environ, served.home)

    def stored(key: str) -> subprocess.CompletedProcess[str]:
        return typed(served, key, "keys", "set", "openai")

    for running_ in (True, False):
        if not running_:
            served.stop()
        assert stored(OPENAI_KEY).stdout == "Stored the key openai.\n"
        listed = ima2("keys", "list")
        assert "sk-t..ef" in listed.stdout
        assert json.loads(ima2("keys", "list", "--json").stdout)["openai"]["source"] == "config"
        assert ima2("keys", "rm", "openai").returncode == 0
        assert "sk-t..ef" not in ima2("keys", "list").stdout
    assert stored("sk-" + "!" * 600).returncode != 0


def test_the_command_line_signs_in_and_out(serve: Serve, codex: World) -> None:
    served = serve(plugins=PLUGINS, **codex_environment(codex))
    served.stop()
    ima2 = Cli(IMA2, served.environ, served.home)
    assert "codex" in ima2("login").stdout
    done = ima2("login", "codex")
    assert done.returncode == 0, done.stderr
    assert "ABCD-12345" in done.stdout
    assert done.stdout.endswith("Signed in to codex.\n")
    assert (served.home / ".codex" / "auth.json").is_file()
    assert ima2("logout", "codex").stdout == "Signed out of codex.\n"
    assert ima2("logout", "codex").stdout == "You were not signed in to codex.\n"
    assert "not signed in" in ima2("quota").stdout


def test_setup_chooses_who_draws_and_keeps_what_is_stored(serve: Serve, codex: World) -> None:
    served = serve(plugins=PLUGINS, **codex_environment(codex))
    served.stop()
    config = served.home / "config.json"
    config.write_text('{"apiKey": "sk-mine", "log": {"level": "warn"}}')
    for nothing in ("", "9\n", "two\n"):
        assert typed(served, nothing, "setup").returncode == 2
        assert "provider" not in json.loads(config.read_text())
    later = typed(served, "4\n", "setup")
    assert later.returncode == 0, later.stderr
    kept = {"apiKey": "sk-mine", "log": {"level": "warn"}}
    assert json.loads(config.read_text()) == {**kept, "provider": "oauth"}
    assert typed(served, "2\n", "setup", "--no-login").returncode == 0
    assert json.loads(config.read_text()) == {**kept, "provider": "grok"}
    signed_in = typed(served, "", "setup", "--choice", "1")
    assert "Signed in to codex." in signed_in.stdout, signed_in.stderr
    assert json.loads(config.read_text()) == {**kept, "provider": "oauth"}
    assert "there is one already" in typed(served, "1\n", "setup").stdout
