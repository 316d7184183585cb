"""A job as data: what asks to be admitted, and what is stored of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ima2.models import Json, Receipt

QUEUED, ACTIVE, UNKNOWN, COMPLETED, ERROR, CANCELED = "queued", "active", "unknown", "completed", "error", "canceled"
OPEN = (QUEUED, ACTIVE)
"""Statuses of a job that has not ended. All others are final."""


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class Draft:
    """A job that asks to be admitted.

    ``request`` is what it asks for, as JSON without picture bytes; ``client`` tells callers apart who share the line
    fairly; ``direct`` says that the caller waits for the answer itself.
    """

    id: str
    kind: str
    prompt: str = field(default="", repr=False)
    meta: Mapping[str, Json] = field(default_factory=dict)
    request: Mapping[str, Json] = field(default_factory=dict, repr=False)
    client: str = ""
    session_id: str | None = None
    direct: bool = False


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as stored: the ledger's row. Times are in milliseconds.

    ``status`` is ``queued`` (in line), ``active``, or final: ``completed``, ``error``, ``canceled``, ``unknown`` (it
    was ordered, its process went away, and nobody can say what came of it). ``ordered_at`` is when something that costs
    money was sent, ``receipt`` what the upstream answered to that, ``files`` the keys kept so far. ``fence`` grows
    whenever another process takes the job over; ``place`` orders those in line.
    """

    id: str
    kind: str
    prompt: str = field(repr=False)
    meta: Mapping[str, Json]
    request: Mapping[str, Json] = field(repr=False)
    started_at: int
    phase: str
    phase_at: int
    owner: str
    status: str = ACTIVE
    finished_at: int | None = None
    http_status: int | None = None
    error_code: str | None = None
    receipt: Receipt | None = None
    session_id: str | None = None
    ordered_at: int | None = None
    fence: int = 1
    files: tuple[str, ...] = ()
    client: str = ""
    direct: bool = False
    place: int | None = None

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self.status not in OPEN
