"""Several small changes in one transaction: what waits for the writer goes together, each kept or undone by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

Work = Callable[["Connection"], Any]
Outcome = tuple[Any, BaseException | None]
MOST = 64
"""Changes of one transaction."""


class Batches:
    """Takes changes in order and hands them on in batches: whatever came while the last batch was written."""

    def __init__(self, write: Callable[[Sequence[Work]], Awaitable[Sequence[Outcome]]]) -> None:
        self._write = write
        self._waiting: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def add(self, work: Work) -> Any:
        """Have one change made; returns what it returns, raises what it raises. It is on disk when this returns."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._drain())
        return await done

    async def settled(self) -> None:
        """Wait until everything added so far is written."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    async def _drain(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            try:
                outcomes = await self._write([work for work, _ in batch])
            except BaseException as reason:  # the whole batch failed, for a reason each of them is told
                outcomes = [(None, reason)] * len(batch)
            for (_, done), outcome in zip(batch, outcomes, strict=True):
                _tell(done, *outcome)


def _tell(done: asyncio.Future[Any], answer: Any, error: BaseException | None) -> None:
    if done.done():  # its caller has gone away
        return
    if error is None:
        done.set_result(answer)
    else:
        done.set_exception(error)


def run_together(connection: Connection, works: Sequence[Work]) -> list[Outcome]:
    """Run changes inside one open transaction. One that raises is undone alone."""
    outcomes: list[Outcome] = []
    for work in works:
        connection.exec_driver_sql("SAVEPOINT one_change")
        try:
            outcomes.append((work(connection), None))
        except Exception as error:
            connection.exec_driver_sql("ROLLBACK TO one_change")
            outcomes.append((None, error))
        connection.exec_driver_sql("RELEASE one_change")
    return outcomes
