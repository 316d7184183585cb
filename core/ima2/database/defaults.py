"""Defaults of columns that every engine writes in its own words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class now_seconds(FunctionElement[int]):  # noqa: N801 - used like a function, as SQLAlchemy's own are
    """Seconds since the epoch when a row is inserted, as a ``server_default``: ima2-gen's tables have it."""

    name = "now_seconds"
    type = Integer()
    inherit_cache = True


@compiles(now_seconds)
def _in_general(element: now_seconds, compiler: Any, **_: Any) -> str:
    return "(CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) AS BIGINT))"


@compiles(now_seconds, "sqlite")
def _in_sqlite(element: now_seconds, compiler: Any, **_: Any) -> str:
    return "(strftime('%s','now'))"
