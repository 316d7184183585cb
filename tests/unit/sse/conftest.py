"""Channels over a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.unit.sse.channel import Channel, channel_over

Open = Callable[..., Awaitable[Channel]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database of the test lies."""
    return tmp_path / "events.db"


@pytest_asyncio.fixture
async def channel(path: Path) -> AsyncIterator[Open]:
    """``await channel(setting=value, …)`` starts one."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Channel:
            return await stack.enter_async_context(channel_over(path, **settings))

        yield start
