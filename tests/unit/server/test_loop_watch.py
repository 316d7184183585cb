"""Who makes the event loop stand still is named."""

from __future__ import annotations

import asyncio
import time
from types import ModuleType
from typing import Any

import pytest

from ima2.server.loop_watch import LoopWatch

SOURCE = """
import time

def work(seconds):
    time.sleep(seconds)
"""


def stranger(name: str) -> Any:
    module = ModuleType(name)
    exec(compile(SOURCE, f"/somewhere/{name}.py", "exec"), module.__dict__)
    return module


async def wait_for(caplog: pytest.LogCaptureFixture) -> str:
    async with asyncio.timeout(5):
        while not caplog.records:
            await asyncio.sleep(0.02)
    return caplog.records[0].message


async def test_a_plugin_that_holds_up_the_loop_is_named_with_its_line(caplog: pytest.LogCaptureFixture) -> None:
    watch = LoopWatch({"stranger_mod": "stranger"}, 0.1)
    watch.start(asyncio.get_running_loop())
    try:
        await asyncio.sleep(0.1)
        stranger("stranger_mod.inner").work(0.6)
        said = await wait_for(caplog)
    finally:
        watch.stop()
    assert said.startswith("the event loop stood still for 0.")
    assert said.endswith("in plugin stranger, at stranger_mod.inner.py:5 in work")


async def test_what_is_no_plugins_is_told_by_its_place_alone(caplog: pytest.LogCaptureFixture) -> None:
    watch = LoopWatch({}, 0.1)
    watch.start(asyncio.get_running_loop())
    try:
        await asyncio.sleep(0.1)
        time.sleep(0.6)
        said = await wait_for(caplog)
    finally:
        watch.stop()
    assert "test_loop_watch.py" in said
    assert "in plugin" not in said


async def test_a_loop_that_runs_is_not_complained_of(caplog: pytest.LogCaptureFixture) -> None:
    watch = LoopWatch({}, 2.0)
    watch.start(asyncio.get_running_loop())
    await asyncio.sleep(0.5)
    watch.stop()
    assert caplog.records == []
