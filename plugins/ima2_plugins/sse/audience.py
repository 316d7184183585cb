"""Everyone who listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from ima2_plugins.sse.frames import PING, Frame
from ima2_plugins.sse.listener import Listener
from ima2_plugins.sse.payloads import Rendering

PARTING = 0.5
"""Seconds that streams get to finish when the server stops."""


class Audience:
    """The open streams, at most ``capacity``. Nobody in it can hold up anybody else.

    A stream counts until its connection is gone, also while it is being ended.
    """

    def __init__(self, capacity: int, log: logging.Logger) -> None:
        self._capacity = capacity
        self._log = log
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._listeners)

    @property
    def full(self) -> bool:
        """Whether no further stream may be opened."""
        return len(self._listeners) >= self._capacity

    @property
    def listeners(self) -> frozenset[Listener]:
        """The open streams."""
        return frozenset(self._listeners)

    @property
    def renderings(self) -> set[Rendering]:
        """The renderings somebody needs now."""
        return {listener.rendering for listener in self._listeners if not listener.over}

    def add(self, listener: Listener) -> None:
        """Let a listener hear what is told from now on."""
        self._listeners.add(listener)

    def remove(self, listener: Listener) -> None:
        """Forget a listener. Safe to call twice."""
        self._listeners.discard(listener)

    def tell(self, frames: Mapping[Rendering, Frame]) -> None:
        """Queue one event for everyone, each in the rendering it wants; who wants one that is missing is not meant."""
        for listener in self._listeners:
            frame = frames.get(listener.rendering)
            if frame is not None and not listener.over:
                listener.push(frame)
                self._note(listener)

    def end(self) -> None:
        """Close every stream."""
        for listener in self._listeners:
            listener.end(PARTING)

    def ping(self) -> None:
        """Show those who wait in silence that we are here."""
        for listener in self._listeners:
            if listener.idle:
                listener.push(PING)

    def check(self, patience: float) -> None:
        """Cut off whoever has taken nothing for ``patience`` seconds while something waited."""
        now = asyncio.get_running_loop().time()
        for listener in self._listeners:
            if listener.stalled(now, patience):
                listener.cut_off()
                self._note(listener)

    def _note(self, listener: Listener) -> None:
        if listener.slow:
            self._log.warning("a slow listener was cut off after event %d", listener.last_id)
