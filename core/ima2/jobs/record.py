"""A job as data: what asks to be admitted, and what is stored of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ima2.models import Json, Receipt


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class Draft:
    """A job that asks to be admitted. ``request`` is what it asks for, as JSON without picture bytes."""

    id: str
    kind: str
    prompt: str = field(default="", repr=False)
    meta: Mapping[str, Json] = field(default_factory=dict)
    request: Mapping[str, Json] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as stored. Times in milliseconds; ``status`` is ``active``, ``completed``, ``error`` or ``canceled``."""

    id: str
    kind: str
    prompt: str = field(repr=False)
    meta: Mapping[str, Json]
    request: Mapping[str, Json] = field(repr=False)
    started_at: int
    phase: str
    phase_at: int
    owner: str
    status: str = "active"
    finished_at: int | None = None
    http_status: int | None = None
    error_code: str | None = None
    receipt: Receipt | None = None

    @property
    def session_id(self) -> str | None:
        """The graph session the job belongs to, if any."""
        value = self.meta.get("sessionId")
        return value if isinstance(value, str) else None
