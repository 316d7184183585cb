"""A provider in front of the fake Google, and shorthand to use it."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.upstreams import gemini
from tests.upstreams.world import World, running

import ima2
from ima2.network.http import Http
from ima2_provider_gemini.provider import GeminiProvider
from ima2_provider_gemini.settings import GeminiSettings

KEY = "AIzaTest-key-0123456789"
Providers = Callable[..., GeminiProvider]


@pytest.fixture
def world() -> Iterator[World]:
    """The fake Google; `KEY` is its only key."""
    world = World(state={"gemini.key": KEY})
    with running(world, list(gemini.routes(world))):
        yield world


@pytest.fixture
async def make(world: World, tmp_path: Path) -> AsyncIterator[Providers]:
    """Makes providers with the key and the fake's addresses, and other settings as given."""
    http = Http()
    try:

        def provider(**settings: Any) -> GeminiProvider:
            values = {
                "api_key": KEY,
                "base_url": world.base_url,
                "vertex_base_url": world.base_url,
                "token_url": f"{world.base_url}/token",
                **settings,
            }
            context = ima2.PluginContext(
                plugin="gemini",
                settings=GeminiSettings(**values),
                config_dir=tmp_path,
                log=logging.getLogger("test"),
                http=http,
                database=None,  # type: ignore[arg-type]  # the provider keeps nothing
                publish=lambda event: None,
            )
            return GeminiProvider(context)

        yield provider
    finally:
        await http.close()


@pytest.fixture
async def provider(make: Providers) -> GeminiProvider:
    """A provider that has the key."""
    return make()


@pytest.fixture(scope="session")
def key_pair() -> tuple[str, str]:
    """An RSA key made for this run: private and public, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.fixture
def account(world: World, key_pair: tuple[str, str]) -> str:
    """The text of a service account's key file that the fake knows."""
    private, world.state["google.public_key"] = key_pair
    world.state["google.project"] = "sand-dunes-7"
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "sand-dunes-7",
            "private_key_id": "kid-1",
            "private_key": private,
            "client_email": "bot@sand-dunes-7.iam.gserviceaccount.com",
            "token_uri": "https://elsewhere.example/token",
        }
    )
