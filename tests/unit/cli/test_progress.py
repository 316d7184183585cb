"""The live line."""

from __future__ import annotations

import asyncio
import io

import pytest

from ima2.cli import progress
from ima2.errors import Ima2Error

pytestmark = pytest.mark.usefixtures("alone")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_the_line_follows_the_phase_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "ASK_S", 0.01)
    monkeypatch.setattr(progress, "DRAW_S", 0.01)
    phases = iter(["queued", None, "streaming"])
    seen = asyncio.Event()

    async def asking() -> str | None:
        try:
            return next(phases)
        except StopIteration:
            seen.set()
            raise Ima2Error("SERVER_UNREACHABLE", 0, "gone") from None

    stream = Terminal()
    async with progress.live(asking, stream=stream):
        await asyncio.wait_for(seen.wait(), 5)
        await asyncio.sleep(0.05)
    drawn = stream.getvalue().split("\r\x1b[K")
    assert "waiting" in drawn[1]
    assert "drawing" in drawn[-2]
    assert drawn[-1] == ""


@pytest.mark.parametrize(
    ("stream", "quiet", "term"),
    [(io.StringIO(), False, "xterm"), (Terminal(), True, "xterm"), (Terminal(), False, "dumb")],
)
async def test_nothing_is_drawn_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, quiet: bool, term: str
) -> None:
    monkeypatch.setenv("TERM", term)
    asked: list[int] = []

    async def asking() -> str | None:
        asked.append(1)
        return None

    async with progress.live(asking, quiet=quiet, stream=stream):
        await asyncio.sleep(0.15)
    assert stream.getvalue() == ""
    assert asked == []
