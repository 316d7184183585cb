"""How much is written before the event loop gets to other work."""

from __future__ import annotations

import asyncio
from collections import deque


class Pace:
    """At most ``budget`` bytes are written in one turn of the event loop; the rest waits in line for the next.

    Without it, hundreds of listeners with full socket buffers to fill make one turn last as long as all
    their writes together.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._spent = 0
        self._armed = False
        self._line: deque[tuple[asyncio.Future[None], int]] = deque()

    async def turn(self, size: int) -> None:
        """Wait until ``size`` bytes may be written: at once, or in the order of asking."""
        if self._spent < self._budget and not self._line:
            self._spend(size)
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((ticket, size))
        await ticket

    def _spend(self, size: int) -> None:
        self._spent += size
        if not self._armed:
            self._armed = True
            asyncio.get_running_loop().call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._spent, self._armed = 0, False
        while self._line and self._spent < self._budget:
            ticket, size = self._line.popleft()
            if not ticket.done():
                ticket.set_result(None)
                self._spend(size)
