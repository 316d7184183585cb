"""Jobs over a real database file, as one process sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ima2.database.sqlite import Database
from ima2.database.tables import TABLES
from ima2.events.publisher import Publisher
from ima2.jobs.jobs import Jobs
from ima2.jobs.record import Draft
from ima2.jobs.runner import RunningJob
from ima2.testing import RecordingSink


@dataclass
class Process:
    """One process: its jobs, its database connection, what its sink heard."""

    jobs: Jobs
    database: Database
    publisher: Publisher
    sink: RecordingSink

    async def admit(self, name: str, *, queue: bool = False, **more: Any) -> RunningJob:
        return await self.jobs.admit(Draft(name, "classic", "a prompt", **more), queue=queue)

    def ends(self) -> list[tuple[str, str]]:
        """The last events that were told: job and name."""
        return [(event.job_id, event.name) for event in self.sink.events if event.terminal]


MakeProcess = Callable[..., Any]


@pytest.fixture
def process(tmp_path: Path) -> MakeProcess:
    """``async with process("a", limit=2) as one:`` opens the jobs of a process of that name over one and the same
    file. ``dies`` leaves without a word."""

    @asynccontextmanager
    async def make(name: str = "a", *, sink: RecordingSink | None = None, **options: Any) -> AsyncIterator[Process]:
        database = Database(tmp_path / "jobs.db")
        await database.open([("ima2", TABLES)])
        heard = sink or RecordingSink()
        publisher = Publisher([heard], origin=name)
        publisher.start()
        jobs = Jobs(database, publisher, owner=name, **options)
        try:
            yield Process(jobs, database, publisher, heard)
        finally:
            await publisher.close()
            await jobs.store.flush()
            await database.close()

    return make
