"""Who may run now, and who is next: a limit, and a line behind it that is fair to every client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from ima2.errors import Ima2Error

RETRY_AFTER_S = 5
LONGEST_LINE = 1000
GAP = 1 << 20


class Waiting(Protocol):
    """What the line has to know of a job."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def client(self) -> str:
        """Who asked."""


J = TypeVar("J", bound=Waiting)


class Line(Generic[J]):
    """Jobs in the order in which they begin.

    Jobs of one client stay in the order they came. Between clients it goes in rounds: a client's first job comes before
    another's second, whether that one waits or runs. A person may move any of them, and that stands. Every job has a
    key that sorts it, so that the line can be stored and read back; only few keys change when somebody joins.
    """

    def __init__(self) -> None:
        self._jobs: list[J] = []
        self._keys: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def join(self, job: J, busy: Mapping[str, int]) -> dict[str, int]:
        """Take a place behind those of the same round; ``busy`` counts jobs that run, by client. Returns new keys."""
        rounds, last = Counter(busy), -1
        for place, waiting in enumerate(self._jobs):
            rounds[waiting.client] += 1
            last = place if waiting.client == job.client else last
        own, rounds = rounds[job.client], Counter(busy)
        for place, waiting in enumerate(self._jobs):
            if place > last and rounds[waiting.client] > own:
                return self._insert(place, job)
            rounds[waiting.client] += 1
        return self._insert(len(self._jobs), job)

    def append(self, job: J) -> dict[str, int]:
        """Take the last place, whoever else waits. Returns new keys."""
        return self._insert(len(self._jobs), job)

    def move(self, job: J, place: int) -> dict[str, int]:
        """Put a job at a place, 1 being the next to begin. Returns new keys."""
        self._jobs.remove(job)
        return self._insert(min(max(1, place), len(self._jobs) + 1) - 1, job)

    def leave(self, job: J) -> None:
        """Give up a place, if there is one."""
        if job in self._jobs:
            self._jobs.remove(job)
            del self._keys[job.id]

    @property
    def first(self) -> J | None:
        """The next one."""
        return self._jobs[0] if self._jobs else None

    def places(self) -> dict[str, int]:
        """The place of each, by id, from 1."""
        return {job.id: number for number, job in enumerate(self._jobs, 1)}

    def _insert(self, index: int, job: J) -> dict[str, int]:
        self._jobs.insert(index, job)
        before = self._keys[self._jobs[index - 1].id] if index else 0
        after = self._keys[self._jobs[index + 1].id] if index + 1 < len(self._jobs) else before + 2 * GAP
        key = (before + after) // 2
        changed = {job.id: key} if before < key < after else {one.id: n * GAP for n, one in enumerate(self._jobs, 1)}
        self._keys.update(changed)
        return changed


def too_many(limit: int) -> Ima2Error:
    """The refusal of a job that will not wait, or for which there is no place left in line."""
    text = f"{limit} jobs are running, which is the limit. Try again when one has ended."
    return Ima2Error("TOO_MANY_JOBS", 429, text, retry_after=RETRY_AFTER_S)


def in_use() -> Ima2Error:
    """The refusal of a second job under the id of one that has not ended."""
    return Ima2Error("REQUEST_ID_IN_USE", 409, "A job with this request id is still running.")
