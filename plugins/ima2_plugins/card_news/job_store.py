"""Jobs in the database: what is to be drawn and how far each card is, so that a restart goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

import ima2
from ima2_plugins.card_news.tables import JOBS
from ima2_plugins.card_news.wire import now_ms

if TYPE_CHECKING:
    from sqlalchemy import Connection

OPEN = ("queued", "running")


@dataclass(slots=True)
class CardJob:
    """A job: ``plan`` as `plan.plan_json` makes it, ``cards`` the state of each card by its id."""

    id: str
    run_id: str
    status: str
    plan: dict[str, Any]
    cards: dict[str, dict[str, Any]]
    updated_at: int = 0

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.status in OPEN

    def summary(self) -> dict[str, ima2.Json]:
        """How the job reads to its clients."""
        states = [card["status"] for card in self.cards.values()]
        return {
            "jobId": self.id,
            "requestId": self.run_id,
            "setId": self.plan["setId"],
            "status": self.status,
            "total": len(states),
            "generated": states.count("generated"),
            "errors": states.count("error"),
            "cards": [{name: one for name, one in card.items() if name != "partId"} for card in self.cards.values()],
            "updatedAt": self.updated_at,
        }

    def settle(self) -> None:
        """Say how it ended, by its cards."""
        states = [card["status"] for card in self.cards.values()]
        good, bad = states.count("generated"), states.count("error")
        self.status = "done" if not bad else "partial" if good else "error"


class JobStore:
    """The table of jobs. Each call is one transaction."""

    def __init__(self, database: ima2.Sql) -> None:
        self._database = database

    async def save(self, job: CardJob) -> None:
        """Write a job, new or changed."""
        job.updated_at = now_ms()
        values = {"run_id": job.run_id, "status": job.status, "updated_at": job.updated_at}
        values["state"] = json.dumps({"plan": job.plan, "cards": job.cards})

        def work(connection: Connection) -> None:
            if connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(values)).rowcount == 0:
                connection.execute(insert(JOBS).values({**values, "id": job.id}))

        await self._database.write(work)

    async def get(self, id: str) -> CardJob | None:
        """A job by its id."""
        row = await self._database.read(lambda c: c.execute(select(JOBS).where(JOBS.c.id == id)).mappings().first())
        return _job(dict(row)) if row is not None else None

    async def open_jobs(self) -> list[CardJob]:
        """The jobs that have not ended, oldest first."""
        wanted = select(JOBS).where(JOBS.c.status.in_(OPEN)).order_by(JOBS.c.updated_at)
        rows = await self._database.read(lambda c: [dict(row) for row in c.execute(wanted).mappings()])
        return [job for job in map(_job, rows) if job is not None]

    async def take_over(self, job: CardJob, run_id: str) -> bool:
        """Put a job under another run, unless somebody was faster or it has ended. Whether that worked."""
        mine = update(JOBS).where(JOBS.c.id == job.id, JOBS.c.run_id == job.run_id, JOBS.c.status.in_(OPEN))
        changed = await self._database.write(lambda c: c.execute(mine.values(run_id=run_id)).rowcount)
        job.run_id = run_id if changed else job.run_id
        return bool(changed)

    async def forget(self, before: int) -> None:
        """Drop jobs that ended before a time (ms)."""
        old = delete(JOBS).where(JOBS.c.status.not_in(OPEN), JOBS.c.updated_at < before)
        await self._database.write(lambda c: c.execute(old))


def _job(row: Mapping[str, Any]) -> CardJob | None:
    try:
        state = json.loads(row["state"])
        return CardJob(row["id"], row["run_id"], row["status"], state["plan"], state["cards"], row["updated_at"])
    except (ValueError, KeyError, TypeError):
        return None
