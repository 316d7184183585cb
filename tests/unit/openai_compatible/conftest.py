"""A provider in front of the fake server."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.upstreams import openai_compatible
from tests.upstreams.world import World, running

from ima2 import Fetched, FetchError, FetchLimits
from ima2_plugins.openai_compatible.provider import CompatibleProvider
from ima2_plugins.openai_compatible.servers import named
from ima2_plugins.openai_compatible.settings import read_server

KEY = "lab-key-0123456789"
Client = Callable[[], httpx.AsyncClient]
Lab = Callable[..., CompatibleProvider]
log = logging.getLogger("test.openai_compatible")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """The host's HTTP client."""
    async with httpx.AsyncClient(trust_env=False) as shared:
        yield lambda: shared


@pytest.fixture
def world() -> Iterator[World]:
    """The server."""
    found = World()
    with running(found, openai_compatible.routes(found)):
        yield found


async def no_fetch(url: str, limits: FetchLimits) -> Fetched:
    """A guarded download that refuses every address, as the host does with private ones."""
    raise FetchError("FETCH_ADDRESS_REFUSED", "The address of the download is not allowed: it is not public.")


@pytest.fixture
def lab(client: Client, world: World) -> Lab:
    """Makes a provider for the server, with these settings beside its address."""

    def make(**fields: Any) -> CompatibleProvider:
        entry = {"base_url": f"{world.base_url}/v1", "models": ["flux-dev"], "edits": True, "words": True, **fields}
        return named("lab", "lab", "Lab")(read_server(entry), client, log, no_fetch)

    return make
