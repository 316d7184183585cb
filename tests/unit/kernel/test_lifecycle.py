"""Opening in order, closing in reverse, each within its time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

import ima2
from ima2.kernel.boot import Booted
from ima2.kernel.discovery import State
from ima2.kernel.lifecycle import open_parts
from ima2.kernel.switches import Switches

Booting = Callable[..., Booted]
Make = Callable[..., Any]


class Diarist(ima2.Provider):
    id = "diarist"
    title = "Diarist"

    def __init__(self, diary: list[str]) -> None:
        self.diary = diary

    async def open(self) -> None:
        self.diary.append("open provider")

    async def close(self) -> None:
        self.diary.append("close provider")


def lifespan(diary: list[str], *, broken: bool = False) -> Callable[[], Any]:
    @asynccontextmanager
    async def live() -> AsyncIterator[None]:
        async with asyncio.TaskGroup():  # must be left in the task that entered it
            diary.append("enter")
            if broken:
                raise RuntimeError("no entry")
            yield
            diary.append("leave")

    return live


async def test_sinks_open_before_providers_before_lifespans_and_close_in_reverse(
    booting: Booting, plugin: Make, sink: Make
) -> None:
    diary: list[str] = []
    module = plugin(
        ima2_providers=lambda: [Diarist(diary)],
        ima2_event_sinks=lambda: [sink("sink", diary)],
        ima2_lifespan=lifespan(diary),
    )
    async with open_parts(booting({"mine": module})) as parts, parts.lifespans():
        diary.append("work")
    assert diary == ["open sink", "open provider", "enter", "work", "leave", "close provider", "close sink"]


async def test_a_part_that_fails_to_open_fails_its_plugin_and_closes_what_was_open(
    booting: Booting, plugin: Make, sinks: Make, sink: Make
) -> None:
    class Broken(Diarist):
        async def open(self) -> None:
            raise OSError("no socket")

    diary: list[str] = []
    bad = plugin(ima2_event_sinks=lambda: [sink("early", diary)], ima2_providers=lambda: [Broken(diary)])
    booted = booting({"bad": bad, "good": sinks(sink("other", diary))})
    async with open_parts(booted) as parts, parts.lifespans():
        assert booted.record("bad").state is State.FAILED
        assert (booted.record("bad").stage, booted.record("bad").error) == ("open diarist", "OSError: no socket")
        assert list(booted.registry.event_sinks) == ["other"]
        assert not booted.registry.providers
        assert "close early" in diary
        assert "close other" not in diary
    assert diary[-1] == "close other"
    assert diary.count("close early") == 1


async def test_parts_of_a_kind_open_side_by_side_and_one_that_hangs_is_given_up(
    booting: Booting, sinks: Make, sink: Make
) -> None:
    class Hanging(sink):  # type: ignore[valid-type, misc]
        async def open(self) -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(60)  # ignores being cancelled

    booted = booting({name: sinks(Hanging(name)) for name in ("a", "b", "c")} | {"fine": sinks(sink("fine"))})
    started = time.monotonic()
    async with open_parts(booted, timeout=0.1) as parts, parts.lifespans():
        assert time.monotonic() - started < 1.5
        assert [record.name for record in booted.ready()] == ["fine"]
        assert booted.record("a").error == "TimeoutError: not done after 0.1 s"


async def test_closing_is_bounded_and_never_raises(
    booting: Booting, sinks: Make, sink: Make, caplog: pytest.LogCaptureFixture
) -> None:
    class Stuck(sink):  # type: ignore[valid-type, misc]
        async def close(self) -> None:
            await asyncio.sleep(60)

    class Raising(sink):  # type: ignore[valid-type, misc]
        async def close(self) -> None:
            raise ValueError("cannot close")

    diary: list[str] = []
    booted = booting({"mine": sinks(Stuck("stuck"), Raising("raising"), sink("fine", diary))})
    started = time.monotonic()
    async with open_parts(booted, timeout=0.1) as parts, parts.lifespans():
        pass
    assert time.monotonic() - started < 1.5
    assert diary == ["open fine", "close fine"]
    assert "cannot close" in caplog.text
    assert "not done after 0.1 s" in caplog.text


@pytest.mark.parametrize("answer", ["raises on entering", "is no context manager", "hook raises"])
async def test_a_bad_lifespan_fails_its_plugin(booting: Booting, plugin: Make, sink: Make, answer: str) -> None:
    diary: list[str] = []
    hooks: dict[str, Callable[[], Any]] = {
        "raises on entering": lifespan(diary, broken=True),
        "is no context manager": lambda: 5,
        "hook raises": lambda: 1 / 0,
    }
    module = plugin(ima2_event_sinks=lambda: [sink("s", diary)], ima2_lifespan=hooks[answer])
    booted = booting({"mine": module})
    async with open_parts(booted) as parts, parts.lifespans():
        assert booted.record("mine").stage == "ima2_lifespan"
        assert not booted.registry.event_sinks
    assert diary.count("close s") == 1


async def test_a_lifespan_that_hangs_while_entered_is_given_up(booting: Booting, plugin: Make) -> None:
    @asynccontextmanager
    async def hanging() -> AsyncIterator[None]:
        await asyncio.sleep(60)
        yield

    booted = booting({"mine": plugin(ima2_lifespan=hanging)})
    async with open_parts(booted, timeout=0.1) as parts, parts.lifespans():
        assert booted.record("mine").error == "TimeoutError: not done after 0.1 s"


async def test_a_named_plugin_that_fails_to_open_ends_the_start_and_all_is_closed(
    booting: Booting, sinks: Make, sink: Make
) -> None:
    class Broken(sink):  # type: ignore[valid-type, misc]
        async def open(self) -> None:
            raise OSError("no socket")

    diary: list[str] = []
    modules = {"good": sinks(sink("good", diary)), "bad": sinks(Broken("bad"))}
    booted = booting(modules, switches=Switches.from_sources(None, {}, {"plugins": {"required": ["bad"]}}))
    with pytest.raises(ima2.Ima2Error, match="no socket"):
        async with open_parts(booted) as parts, parts.lifespans():
            pytest.fail("must not start")
    assert diary == ["open good", "close good"]


async def test_everything_is_closed_when_the_work_raises(booting: Booting, sinks: Make, sink: Make) -> None:
    diary: list[str] = []
    with pytest.raises(KeyError):
        async with open_parts(booting({"mine": sinks(sink("s", diary))})) as parts, parts.lifespans():
            raise KeyError("work")
    assert diary == ["open s", "close s"]
