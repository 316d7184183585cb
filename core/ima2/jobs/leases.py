"""Jobs of processes that are gone: what becomes of each, and who goes on with it.

A job belongs to the process whose id it carries, for as long as that lives (`ima2.jobs.process_lock`). Taking one over
raises its fence, so that of two processes one gets it, and a former owner cannot write any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ima2.jobs.record import JobRecord
from ima2.jobs.runner import RunningJob
from ima2.jobs.store import Ledger

log = logging.getLogger("ima2.jobs")
Verdict = Literal["collect", "rerun", "complete", "wait", "unknown", "close"]
"""What becomes of a job: its paid work is collected; it runs (again); all its files are there and only its end is
missing; it waits, as stored, for a later start; it was ordered and nobody knows; it is closed as interrupted."""
GOES_ON = frozenset({"collect", "rerun", "complete"})
Judge = Callable[[JobRecord], Verdict]


def plain_verdict(record: JobRecord) -> Verdict:
    """The verdict where nobody knows how to go on with jobs."""
    return "unknown" if record.ordered_at is not None and record.receipt is None else "close"


@dataclass(slots=True)
class Recovered:
    """What a start found: records that were closed, jobs to go on with, records that wait."""

    closed: list[JobRecord] = field(default_factory=list)
    adopted: list[RunningJob] = field(default_factory=list)
    waiting: list[JobRecord] = field(default_factory=list)


async def dead_jobs(ledger: Ledger, dead: Callable[[str], bool]) -> list[JobRecord]:
    """What has not ended and whose process is gone, in the order in which it is to go on."""
    verdicts: dict[str, bool] = {}
    found = []
    for record in await ledger.open():
        if record.owner not in verdicts:
            verdicts[record.owner] = dead(record.owner)
        if verdicts[record.owner]:
            found.append(record)
    return found


def judged(judge: Judge, record: JobRecord) -> Verdict:
    """The verdict on one record. A judge that fails leaves the job to a later start, and the others are judged."""
    try:
        return judge(record)
    except Exception as error:
        log.warning("job %s could not be judged (%s); it waits for the next start", record.id, type(error).__name__)
        return "wait"
