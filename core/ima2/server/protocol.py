"""uvicorn's HTTP protocol, and what it lacks against readers that do not read."""

from __future__ import annotations

import asyncio
from array import array
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT = "ima2.transport"
"""Scope extension: the connection's `asyncio.Transport`, for routes that have to cut it."""
STALL_S = 60.0
"""How long a reader may take nothing of what waits for it."""
LOOKS = 4
"""How often that is looked at in this time."""


class Protocol(HttpToolsProtocol):
    """Shows each request its connection, and drops a connection whose reader takes nothing for `STALL_S` seconds.

    A reader that takes little is left alone: what counts is that the waiting bytes become fewer.
    """

    _watch: asyncio.TimerHandle | None = None

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {TRANSPORT: self.transport}

    def pause_writing(self) -> None:
        """More waits for the reader than it should."""
        super().pause_writing()
        self._look(_waiting(self.transport), LOOKS)

    def resume_writing(self) -> None:
        """The reader has caught up."""
        self._forget()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._forget()
        super().connection_lost(exc)

    def _look(self, waiting: int, left: int) -> None:
        """See whether fewer bytes wait than before, and how often this may still not be so."""
        size = _waiting(self.transport)
        left = LOOKS if size < waiting else left - 1
        if left < 0:
            self.transport.abort()
        else:
            self._watch = self.loop.call_later(STALL_S / LOOKS, self._look, size, left)

    def _forget(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


def _waiting(transport: asyncio.Transport) -> int:
    """Bytes the reader has not taken, with those that the system holds for it where it tells (Linux): it takes more
    from us only when a good part of its own has gone."""
    held = array("i", [0])
    try:
        from fcntl import ioctl
        from termios import TIOCOUTQ

        ioctl(transport.get_extra_info("socket").fileno(), TIOCOUTQ, held)
    except (ImportError, OSError, AttributeError, ValueError):
        pass
    return transport.get_write_buffer_size() + held[0]
