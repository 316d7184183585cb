"""A child process in a group of its own: fed, read within bounds, and gone afterwards whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

OUTPUT_LIMIT = 1024 * 1024
"""Bytes kept of the output: of a longer one its beginning and its end."""
GRACE_SECONDS = 2.0
"""How long a process may take to end when asked to, before it is killed."""
_STDIN, _STDOUT, _STDERR = range(3)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended and what it printed. ``complaints`` is the length of its error output."""

    code: int
    output: str = field(repr=False)
    complaints: int = 0


class _Watch(asyncio.SubprocessProtocol):
    """What is heard of a process. (Streams would do, but they cannot tell its end from that of its children.)"""

    def __init__(self) -> None:
        self.output = bytearray()
        self.complaints = 0
        self.exited, self.drained, self.gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _STDERR:
            self.complaints += len(data)
            return
        self.output += data
        if len(self.output) > OUTPUT_LIMIT:
            del self.output[OUTPUT_LIMIT // 2 : len(self.output) - OUTPUT_LIMIT // 2]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == _STDOUT:
            self.drained.set()

    def process_exited(self) -> None:
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()


async def run(
    command: Sequence[str], *, feed: bytes = b"", cwd: Path | None = None, env: Mapping[str, str], seconds: float
) -> Ended:
    """Run a command to its end. Raises ``TimeoutError`` after ``seconds``, ``OSError`` when it cannot be started.

    Ended, timed out or canceled: afterwards the whole process group is gone.
    """
    process, watch = await asyncio.get_running_loop().subprocess_exec(
        _Watch, *command, cwd=cwd, env=dict(env), start_new_session=True
    )
    try:
        stdin = cast("asyncio.WriteTransport", process.get_pipe_transport(_STDIN))
        stdin.write(feed)
        stdin.close()
        async with asyncio.timeout(seconds):
            await watch.exited.wait()
        _send(process, signal.SIGKILL)  # whatever it left behind, which would keep the pipes open
        await _soon(watch.drained)
    finally:
        await _finish(process, watch)
    return Ended(process.get_returncode() or 0, watch.output.decode("utf-8", "replace"), watch.complaints)


async def _finish(process: asyncio.SubprocessTransport, watch: _Watch) -> None:
    """Ask the group to end, then make it, even when canceled again meanwhile."""
    try:
        if not watch.exited.is_set():
            _send(process, signal.SIGTERM)
            await _soon(watch.exited)
    finally:
        _send(process, signal.SIGKILL)
        process.close()
        await _soon(watch.gone)


async def _soon(event: asyncio.Event) -> None:
    """Wait for an event, but not for long."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), GRACE_SECONDS)


def _send(process: asyncio.SubprocessTransport, number: int) -> None:
    """A signal to the whole group, if any of it is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.get_pid(), number)
