"""Both providers, each in front of its fake."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from tests.upstreams import chatgpt, responses
from tests.upstreams.world import World, running

from ima2_plugins.openai.api_provider import ApiProvider
from ima2_plugins.openai.oauth_provider import OauthProvider
from ima2_plugins.openai.settings import ApiSettings, OauthSettings

KEY = "sk-test-0123456789abcdef"
NOBODY = 9
"""A port where nobody listens."""
Client = Callable[[], httpx.AsyncClient]
Api = Callable[..., ApiProvider]
Oauth = Callable[..., OauthProvider]
log = logging.getLogger("test.openai")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """The host's HTTP client."""
    async with httpx.AsyncClient(trust_env=False, headers={"user-agent": "ima2/test"}) as shared:
        yield lambda: shared


@pytest.fixture
def openai() -> Iterator[World]:
    """OpenAI's API."""
    world = World()
    with running(world, [*responses.routes(world)]):
        yield world


@pytest.fixture
def backend() -> Iterator[World]:
    """ChatGPT's backend and its token endpoint, without a proxy."""
    world = World()
    with running(world, [*chatgpt.backend(world)]):
        yield world


@pytest.fixture
def proxy() -> Iterator[World]:
    """A local proxy in front of ChatGPT."""
    world = World()
    with running(world, [*chatgpt.proxy(world)]):
        yield world


@pytest.fixture
def api(client: Client, openai: World) -> Api:
    """Makes a provider with a key in front of the API."""

    def make(**fields: Any) -> ApiProvider:
        values = {"api_key": SecretStr(KEY), "base_url": f"{openai.base_url}/v1", **fields}
        return ApiProvider(ApiSettings(**values), client, log)

    return make


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; nobody's real login is ever looked at."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".codex").mkdir()
    return tmp_path


@pytest.fixture
def auth_file(home: Path, backend: World) -> Path:
    """A login that the backend accepts."""
    path = home / ".codex" / "auth.json"
    path.write_text(json.dumps(chatgpt.login(backend)))
    return path


@pytest.fixture
def oauth(client: Client, home: Path) -> Oauth:
    """Makes a provider with a login; by default nobody listens where the proxy would be."""

    def make(world: World | None = None, **fields: Any) -> OauthProvider:
        values: dict[str, Any] = {"proxy_port": NOBODY}
        if world is not None:
            values["chatgpt_base_url"] = f"{world.base_url}/backend-api/codex"
            values["auth_url"] = f"{world.base_url}/oauth/token"
            values["words_auth_url"] = f"{world.base_url}/api/accounts"
            values["words_base_url"] = f"{world.base_url}/siwc/v1"
        return OauthProvider(OauthSettings(**{**values, **fields}), client, log, home / "ima2", ports=(0,))

    return make


def port_of(world: World) -> int:
    """The port a fake listens on."""
    return int(world.base_url.rsplit(":", 1)[1])
