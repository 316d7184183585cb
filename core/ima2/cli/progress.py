"""One line on stderr that lives while a person waits."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TextIO

from ima2.cli.output import is_quiet
from ima2.errors import Ima2Error

WORDS = {"queued": "waiting", "planning": "planning", "streaming": "drawing", "decoding": "finishing"}
DRAW_S, ASK_S = 0.1, 1.0
PhaseSource = Callable[[], Awaitable[str | None]]


def is_live(stream: TextIO, *, quiet: bool) -> bool:
    """Whether a live line makes sense: on a terminal that can redraw, and when a person is to read."""
    return not quiet and not is_quiet() and stream.isatty() and os.environ.get("TERM") != "dumb"


@asynccontextmanager
async def live(ask_phase: PhaseSource, *, quiet: bool = False, stream: TextIO | None = None) -> AsyncIterator[None]:
    """Draw a spinner, the phase that ``ask_phase`` answers about once a second, and the time, while the block runs.

    The line is wiped at the end. Does nothing where `shown` says no.
    """
    stream = stream or sys.stderr
    if not is_live(stream, quiet=quiet):
        yield
        return
    line = Line(stream)
    tasks = [asyncio.create_task(line.draw()), asyncio.create_task(line.follow(ask_phase))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        line.wipe()


def make_room(*, quiet: bool = False) -> None:
    """Wipe the live line, so that a line of output can be written where it was."""
    if is_live(sys.stderr, quiet=quiet):
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


class Line:
    """The line itself. ``phase`` is a word of the server's."""

    def __init__(self, stream: TextIO) -> None:
        self.phase = "queued"
        self._stream = stream
        self._started = time.monotonic()
        plain = "utf" not in (getattr(stream, "encoding", None) or "").lower()
        self._cells = str.maketrans("█░", "#-") if plain else {}
        self._frames = itertools.cycle("|/-\\" if plain else "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

    async def draw(self) -> None:
        """Redraw until cancelled."""
        while True:
            seconds = int(time.monotonic() - self._started)
            word = WORDS.get(self.phase, self.phase).translate(self._cells)
            self._stream.write(f"\r\x1b[K{next(self._frames)} {word}  {seconds}s  (Ctrl-C stops it)")
            self._stream.flush()
            await asyncio.sleep(DRAW_S)

    async def follow(self, ask_phase: PhaseSource) -> None:
        """Keep the phase up to date until cancelled; a server that does not answer leaves it as it was."""
        while True:
            with suppress(Ima2Error):
                self.phase = await ask_phase() or self.phase
            await asyncio.sleep(ASK_S)

    def wipe(self) -> None:
        """Leave an empty line behind."""
        self._stream.write("\r\x1b[K")
        self._stream.flush()
