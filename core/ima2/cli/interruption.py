"""Ctrl-C while a job runs: the first one asks for a clean end, the second one ends at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ima2.cli.output import INTERRUPTED
from ima2.errors import Ima2Error

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
EXIT = 130


@asynccontextmanager
async def watch_interrupts() -> AsyncIterator[asyncio.Event]:
    """An event that is set at the first Ctrl-C (or SIGTERM). Another one ends the process there and then, with 130."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def heard() -> None:
        if asked.is_set():
            os._exit(EXIT)
        asked.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, heard)
    try:
        yield asked
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def interrupt_error(text: str, request_id: str) -> Ima2Error:
    """The end of a command that a person stopped: exit code 130."""
    return Ima2Error(INTERRUPTED, 0, text, details={"requestId": request_id})
