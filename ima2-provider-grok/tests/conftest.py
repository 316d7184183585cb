"""The providers in front of the fakes, on loopback, with nothing patched between them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.upstreams import xai
from tests.upstreams.world import World, running

import ima2
import ima2.testing
from ima2_provider_grok.provider import GrokApiProvider, GrokProvider
from ima2_provider_grok.settings import GrokSettings

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy, no progrok and no login of the person who runs the tests."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def world() -> Iterator[World]:
    """xAI: API, media, sign-in and billing."""
    made = World()
    with running(made, [*xai.routes(made)]) as served:
        yield served


@pytest.fixture
def proxy() -> Iterator[World]:
    """A progrok proxy."""
    made = World()
    with running(made, [*xai.proxy_routes(made)]) as served:
        yield served


@pytest.fixture
async def ctx(tmp_path: Path) -> AsyncIterator[ima2.PluginContext]:
    """What the host hands to plugins: its client and its guarded download."""
    made = ima2.testing.context(tmp_path, name="grok")
    yield made
    await made.http().aclose()


@pytest.fixture
def http(ctx: ima2.PluginContext) -> httpx.AsyncClient:
    """The host's client."""
    return ctx.http()


@pytest.fixture
def settings(world: World, tmp_path: Path) -> Callable[..., GrokSettings]:
    """Settings that point to the fakes; what is given is set otherwise."""

    def make(**changes: Any) -> GrokSettings:
        values: dict[str, Any] = {
            "api_key": xai.KEY,
            "base_url": f"{world.base_url}/xai/v1",
            "auth_url": f"{world.base_url}/xai-auth",
            "billing_url": f"{world.base_url}/xai-billing",
            "auth_file": tmp_path / "progrok" / "auth.json",
            "proxy_port": 9,
            "video_poll_interval_ms": 10,
        }
        return GrokSettings.model_validate({**values, **changes})

    return make


@pytest.fixture
async def api(settings: Callable[..., GrokSettings], ctx: ima2.PluginContext) -> AsyncIterator[Make]:
    """Makes ``grok-api``."""
    made: list[GrokApiProvider] = []

    def make(**changes: Any) -> GrokApiProvider:
        made.append(GrokApiProvider(settings(**changes), ctx.http, ctx.fetch))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()


@pytest.fixture
async def grok(settings: Callable[..., GrokSettings], ctx: ima2.PluginContext) -> AsyncIterator[Make]:
    """Makes ``grok``."""
    made: list[GrokProvider] = []

    def make(**changes: Any) -> GrokProvider:
        made.append(GrokProvider(settings(**changes), ctx.http, ctx.fetch))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()


@pytest.fixture
def sign_in(world: World, tmp_path: Path) -> Callable[..., Path]:
    """Writes a login file, good for an hour; ``seconds`` and further fields can be given."""

    def write(seconds: float = 3600, **more: Any) -> Path:
        path = tmp_path / "progrok" / "auth.json"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        xai.tokens(world).add("login-0")
        content = {
            "accessToken": "login-0",
            "refreshToken": "refresh-0",
            "expiresAt": int((time.time() + seconds) * 1000),
            "tokenEndpoint": f"{world.base_url}/xai-auth/token",
            "email": "user@example.com",
            "idToken": "kept",
            **more,
        }
        path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
        return path

    return write
