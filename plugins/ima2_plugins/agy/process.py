"""A child process in a group of its own: fed, read within bounds, and gone afterwards whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ima2_plugins.agy.supervisor import supervise

OUTPUT_LIMIT = 1024 * 1024
"""Bytes kept of the output: of a longer one its beginning and its end."""
GRACE_SECONDS = 2.0
"""How long a process may take to end when asked to, before it is killed."""
_STDIN, _STDOUT, _STDERR = range(3)
_WINDOWS = os.name == "nt"


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended and what it printed. ``stderr_bytes`` is the length of its error output."""

    code: int
    output: str = field(repr=False)
    stderr_bytes: int = 0


class _Watch(asyncio.SubprocessProtocol):
    """What is heard of a process. (Streams would do, but they cannot tell its end from that of its children.)"""

    def __init__(self) -> None:
        self.output = bytearray()
        self.stderr_bytes = 0
        self.exited, self.drained, self.gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _STDERR:
            self.stderr_bytes += len(data)
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
) -> ProcessResult:
    """Run a command to its end. Raises ``TimeoutError`` after ``seconds``, ``OSError`` when it cannot be started.

    ProcessResult, timed out or canceled: afterwards the whole process group is gone. It also dies with this process.
    """
    with supervise(command) as guarded:
        process, watch = await asyncio.get_running_loop().subprocess_exec(
            _Watch, *guarded.command, cwd=cwd, env=dict(env), **_group(guarded.descriptors)
        )
        try:
            stdin = cast("asyncio.WriteTransport", process.get_pipe_transport(_STDIN))
            stdin.write(feed)
            stdin.close()
            async with asyncio.timeout(seconds):
                await watch.exited.wait()
            _kill(process)  # whatever it left behind, which would keep the pipes open
            await _soon(watch.drained)
        finally:
            await _finish(process, watch)
    return ProcessResult(process.get_returncode() or 0, watch.output.decode("utf-8", "replace"), watch.stderr_bytes)


def _group(descriptors: tuple[int, ...]) -> dict[str, Any]:
    """How a group of its own is asked for on this system."""
    if _WINDOWS:
        return {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"start_new_session": True, "pass_fds": descriptors}


async def _finish(process: asyncio.SubprocessTransport, watch: _Watch) -> None:
    """Ask the group to end, then make it, even when canceled again meanwhile."""
    try:
        if not watch.exited.is_set():
            _terminate(process)
            await _soon(watch.exited)
    finally:
        _kill(process)
        process.close()
        await _soon(watch.gone)


async def _soon(event: asyncio.Event) -> None:
    """Wait for an event, but not for long."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), GRACE_SECONDS)


def _terminate(process: asyncio.SubprocessTransport) -> None:
    """Ask the whole group to end, if any of it is left."""
    with suppress(ProcessLookupError, PermissionError):
        if _WINDOWS:
            process.terminate()
        else:
            os.killpg(process.get_pid(), signal.SIGTERM)


def _kill(process: asyncio.SubprocessTransport) -> None:
    """End the whole group, if any of it is left."""
    with suppress(ProcessLookupError, PermissionError, OSError):
        if _WINDOWS:
            # Windows has no groups to kill; its own tool ends a process with those that it started.
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.get_pid())], capture_output=True, check=False)  # noqa: S603, S607
        else:
            os.killpg(process.get_pid(), signal.SIGKILL)
