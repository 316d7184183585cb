"""A studio with graphs, and a session in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import ima2_plugins.graph
from ima2.testing import EchoProvider, plugin


@pytest.fixture
async def client(ima2_client: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with ima2_client(graph=ima2_plugins.graph, echo=plugin(providers=[EchoProvider()])) as client:
        yield client


@pytest.fixture
async def session(client: httpx.AsyncClient) -> str:
    """The id of a session without a graph."""
    made = await client.post("/api/sessions", json={"title": "A"})
    return str(made.json()["session"]["id"])
