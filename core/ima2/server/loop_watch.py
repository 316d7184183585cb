"""Seeing, from a thread of its own, when the event loop stands still, and in whose code."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from types import FrameType

from ima2.kernel.boot import Booted
from ima2.kernel.guard import package_of

log = logging.getLogger("ima2.plugins")
LIMIT_S = 0.5
"""How long the loop may stand still before it is told, in seconds."""


class LoopWatch:
    """Watches one loop from `start` to `stop`. ``owners`` gives the plugin of a package."""

    def __init__(self, owners: Mapping[str, str], limit: float = LIMIT_S) -> None:
        self._owners, self._limit = owners, limit
        self._stopped = threading.Event()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; called in the loop's own thread."""
        ident = threading.get_ident()
        threading.Thread(target=self._run, args=(loop, ident), name="ima2-loop-watch", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _run(self, loop: asyncio.AbstractEventLoop, ident: int) -> None:
        while not self._stopped.wait(self._limit / 2):
            beat, began = threading.Event(), time.monotonic()
            try:
                loop.call_soon_threadsafe(beat.set)
            except RuntimeError:  # the loop is closed
                return
            if beat.wait(self._limit):
                continue
            place = self.place(sys._current_frames().get(ident))
            while not beat.wait(self._limit) and not self._stopped.is_set():
                place = self.place(sys._current_frames().get(ident)) or place
            log.warning("the event loop stood still for %.1f s in %s", time.monotonic() - began, place)

    def place(self, frame: FrameType | None) -> str:
        """The innermost frame of a plugin, with its name, else the innermost frame of all."""
        innermost = frame
        while frame is not None:
            owner = self._owners.get(package_of(frame.f_globals.get("__name__", "")))
            if owner is not None:
                return f"plugin {owner}, at {_shown(frame)}"
            frame = frame.f_back
        return _shown(innermost) if innermost is not None else "an unknown place"


def plugin_packages(booted: Booted) -> dict[str, str]:
    """The package of each plugin's module, to the plugin's name."""
    modules = ((record.name, record.value.partition(":")[0].strip()) for record in booted.records)
    return {package_of(module): name for name, module in modules if package_of(module)}


def _shown(frame: FrameType) -> str:
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno} in {frame.f_code.co_name}"
