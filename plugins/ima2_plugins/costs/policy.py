"""Budgets: the price of a job is set aside before it runs, and settled by what is known afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import ima2
from ima2_plugins.costs.settings import CostSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Budget:
    """One limit: what counts towards it since a day, of one provider or of all."""

    name: str
    usd: float
    since: str
    provider: str | None = None


class CostPolicy(ima2.Policy):
    """Keeps the ledger, and refuses with ``BUDGET_EXCEEDED`` (402) what a budget does not allow."""

    id = "costs"

    def __init__(self, ctx: ima2.PluginContext) -> None:
        self._ctx = ctx
        self._since = now_ms()
        self._caught_up = False

    async def reserve(
        self, job_id: str, request: ima2.ImageRequest | ima2.VideoRequest, label: ima2.Label, estimate: float | None
    ) -> None:
        """Set the estimate aside, in the same transaction in which the budgets are looked at."""
        await self.catch_up()
        provider = self._ctx.studio.provider(
            request.provider, "video" if isinstance(request, ima2.VideoRequest) else "image"
        )
        if provider.free:
            return
        day = today()
        row = {
            "job_id": job_id,
            "at": now_ms(),
            "day": day,
            "provider": provider.id,
            "model": request.model,
            "kind": label.kind,
            "session": label.session_id or "",
            "client": label.client,
            "estimate": estimate,
            "amount": estimate or 0.0,
            "state": "reserved",
        }
        # Who declares no price is paid by a plan, not by the request: only a budget of its own counts there.
        meant = {provider.id, *([None] if provider.capabilities.prices else [])}
        limits = [one for one in budgets(self._ctx.settings, day) if one.provider in meant]

        def work(connection: Connection) -> Budget | None:
            from ima2_plugins.costs.table import put, spent

            for one in limits:
                already = spent(connection, one.since, provider=one.provider)
                if already >= one.usd or already + (estimate or 0.0) > one.usd + 1e-9:
                    return one
            put(connection, row)
            return None

        refused = await self._ctx.database.write(work)
        if refused is not None:
            details = {"budget": refused.name, "limitUsd": refused.usd, "estimateUsd": estimate}
            text = f"The budget {refused.name} of ${refused.usd:g} does not allow this: see `ima2 costs`."
            raise ima2.Ima2Error("BUDGET_EXCEEDED", 402, text, details=details)

    async def settle(self, job_id: str, cost: float | None, *, known: bool) -> None:
        """Write down what was reported; else, where something was ordered, the estimate stays."""
        from ima2_plugins.costs import table

        record = self._ctx.studio.jobs.get(job_id)
        if record is not None and not record.over:
            return  # another request of this id was not let in; the job itself goes on
        if not known:
            work = partial(table.settle, job_id=job_id, state=table.UNKNOWN, amount=None)
        elif cost:
            work = partial(table.settle, job_id=job_id, state=table.REPORTED, amount=cost)
        elif record is not None and record.ordered_at is not None:
            reported = cost is not None
            state, amount = (table.REPORTED, 0.0) if reported else (table.ESTIMATED, None)
            work = partial(table.settle, job_id=job_id, state=state, amount=amount)
        else:
            work = partial(table.forget, job_id=job_id)
        await self._ctx.database.write(lambda connection: work(connection))

    async def catch_up(self) -> None:
        """Once in a process: settle jobs that ended without it, because the process before went away."""
        if self._caught_up:
            return
        self._caught_up = True
        from ima2_plugins.costs.table import left_over

        for job_id in await self._ctx.database.read(lambda connection: left_over(connection, self._since)):
            record = self._ctx.studio.jobs.get(job_id)
            if record is None or record.over:
                known = record is not None and record.status != "unknown"
                await self.settle(job_id, None, known=known)


def budgets(settings: CostSettings, day: str) -> Iterator[Budget]:
    """The limits that are set, on a day."""
    month = f"{day[:8]}01"
    if settings.day_usd is not None:
        yield Budget("day", settings.day_usd, day)
    if settings.month_usd is not None:
        yield Budget("month", settings.month_usd, month)
    for provider, usd in settings.providers.items():
        yield Budget(f"provider {provider}", usd, month, provider)


def today() -> str:
    """The day in UTC."""
    return datetime.now(UTC).date().isoformat()


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)
