"""The event loop stays free while pictures are made, kept, encoded and told."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from typing import Any

import pytest

from ima2.testing import EchoProvider, plugin
from ima2_plugins.pillow_thumbs.thumbnailer import PillowThumbnailer

STEP_S = 0.002


async def watch(lags: list[float]) -> None:
    """Note by how many milliseconds each short sleep was late."""
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        await asyncio.sleep(STEP_S)
        lags.append((loop.time() - began - STEP_S) * 1000)


@pytest.mark.alone
async def test_nothing_holds_the_loop_under_load(ima2_client: Any) -> None:
    # A machine that runs other things too is late by itself now and then; what our code does would be late always.
    parts = plugin(providers=[EchoProvider()], thumbnailers=[PillowThumbnailer()])
    best = 1000.0
    async with ima2_client(parts=parts) as client:
        for _ in range(3):
            lags = await under_load(client)
            assert len(lags) > 20
            best = min(best, statistics.quantiles(lags, n=20)[-1])
            if best < 20:
                break
    assert best < 20


async def under_load(client: Any) -> list[float]:
    """How late the loop was, in milliseconds, while six clients made four pictures each, several times over."""
    lags: list[float] = []
    body = {"prompt": "a boat", "provider": "echo", "n": 4, "partials": 2}
    watching = asyncio.create_task(watch(lags))
    for _ in range(4):
        answers = await asyncio.gather(*(client.post("/api/generate", json=body) for _ in range(6)))
        assert all(answer.status_code == 200 for answer in answers)
        await client.get("/api/history?limit=500")
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    return lags
