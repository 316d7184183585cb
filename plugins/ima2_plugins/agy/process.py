"""A child process in a group of its own: fed, read within bounds, and gone afterwards whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

OUTPUT_LIMIT = 1024 * 1024
"""Bytes kept of each stream: of a longer one its beginning and its end."""
GRACE_SECONDS = 2.0
"""How long a process may take to end when asked to, before it is killed."""
_STEP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended and what it printed. ``complaints`` is the length of its error output."""

    code: int
    output: str = field(repr=False)
    complaints: int = 0


class _Stream:
    """What was read of a stream, kept short."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.length = 0

    async def read(self, source: asyncio.StreamReader) -> None:
        while piece := await source.read(65_536):
            self.length += len(piece)
            self.kept += piece
            if len(self.kept) > OUTPUT_LIMIT:
                del self.kept[OUTPUT_LIMIT // 2 : len(self.kept) - OUTPUT_LIMIT // 2]


async def run(
    command: Sequence[str], *, feed: bytes = b"", cwd: Path | None = None, env: Mapping[str, str], seconds: float
) -> Ended:
    """Run a command to its end. Raises ``TimeoutError`` after ``seconds``, ``OSError`` when it cannot be started.

    Ended, timed out or canceled: afterwards the whole process group is gone.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=cwd, env=dict(env), start_new_session=True
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    output, complaints = _Stream(), _Stream()
    tasks = [
        asyncio.create_task(_feed(process.stdin, feed)),
        asyncio.create_task(output.read(process.stdout)),
        asyncio.create_task(complaints.read(process.stderr)),
    ]
    try:
        async with asyncio.timeout(seconds):
            code = await _exit_code(process)
        _send(process, signal.SIGKILL)  # whatever it left behind, which would keep the pipes open
        await asyncio.wait(tasks, timeout=GRACE_SECONDS)
    finally:
        await _finish(process, tasks)
    return Ended(code, output.kept.decode("utf-8", "replace"), complaints.length)


async def _feed(sink: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(ConnectionError):
        sink.write(data)
        await sink.drain()
    sink.close()


async def _exit_code(process: Process) -> int:
    """Wait for the process itself. ``Process.wait`` would also wait for the pipes, which its children may hold open."""
    while process.returncode is None:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(_STEP_SECONDS)
    return process.returncode


async def _finish(process: Process, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Ask the group to end, then make it, even when canceled again meanwhile."""
    try:
        if process.returncode is None:
            _send(process, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE_SECONDS):
                    await _exit_code(process)
    finally:
        _send(process, signal.SIGKILL)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await process.wait()


def _send(process: Process, number: int) -> None:
    """A signal to the whole group, if any of it is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
