"""The ledger: one row a job. Money is in US dollars, times are in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    case,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy import update as change

METADATA = MetaData()
COSTS = Table(
    "costs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("job_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("day", Text, nullable=False, doc="of UTC, as 2026-07-01"),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("estimate", Float, doc="by list prices, where there is one"),
    Column("amount", Float, nullable=False, doc="what counts against budgets"),
    Column("state", Text, nullable=False, doc="reserved, reported, estimated, unknown"),
    Index("idx_costs_day", "day"),
    Index("idx_costs_job", "job_id"),
)
RESERVED, REPORTED, ESTIMATED, UNKNOWN = "reserved", "reported", "estimated", "unknown"
GROUPS = ("provider", "model", "day", "session", "client", "kind")


def spent(connection: Connection, since: str, until: str = "9", provider: str | None = None) -> float:
    """What counts against a budget from one day to another, both included: also what is set aside or unknown."""
    query = select(func.coalesce(func.sum(COSTS.c.amount), 0.0)).where(COSTS.c.day.between(since, until))
    if provider is not None:
        query = query.where(COSTS.c.provider == provider)
    return float(connection.execute(query).scalar_one())


def put(connection: Connection, row: dict[str, Any]) -> None:
    """Set the price of a job aside, once."""
    if connection.execute(select(COSTS.c.id).where(_open(row["job_id"]))).first() is None:
        connection.execute(insert(COSTS), row)


def settle(connection: Connection, job_id: str, state: str, amount: float | None) -> None:
    """Write down how a job ended; ``None`` leaves the amount that was set aside."""
    values: dict[str, Any] = {"state": state} if amount is None else {"state": state, "amount": amount}
    connection.execute(change(COSTS).where(_open(job_id)).values(**values))


def forget(connection: Connection, job_id: str) -> None:
    """Give back what was set aside for a job that spent nothing."""
    connection.execute(delete(COSTS).where(_open(job_id)))


def _open(job_id: str) -> ColumnElement[bool]:
    return and_(COSTS.c.job_id == job_id, COSTS.c.state == RESERVED)


def left_over(connection: Connection, before: int) -> list[str]:
    """Jobs whose price was set aside before a time and that nobody has settled."""
    where = (COSTS.c.state == RESERVED) & (COSTS.c.at < before)
    return list(connection.execute(select(COSTS.c.job_id).where(where)).scalars())


def summed(connection: Connection, group: str | None, since: str, until: str) -> Sequence[Any]:
    """Jobs and money of some days by a column of `GROUPS`, or of all together."""
    by_state = [
        func.coalesce(func.sum(case((COSTS.c.state == state, COSTS.c.amount), else_=0.0)), 0.0).label(state)
        for state in (REPORTED, ESTIMATED, UNKNOWN, RESERVED)
    ]
    unpriced = func.coalesce(func.sum(case((COSTS.c.state == ESTIMATED, COSTS.c.estimate.is_(None)), else_=0)), 0)
    columns = [func.count().label("jobs"), *by_state, unpriced.label("unpriced")]
    query = select(*columns).where(COSTS.c.day.between(since, until))
    if group is not None:
        query = query.add_columns(COSTS.c[group].label("key")).group_by(COSTS.c[group]).order_by(COSTS.c[group])
    return connection.execute(query).mappings().all()
