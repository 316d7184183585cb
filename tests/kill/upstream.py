"""An upstream that counts: what each job has bought, and whether that was written down before it was asked for."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request

from tests.upstreams.world import World

BILLED = ("images/generations", "images/edits", "videos/generations")
_JOB = re.compile(r"(?:draw|order):(kill\d+)")


@dataclass(slots=True)
class CountingWorld(World):
    """The fakes, with a bill for each job and a look into the ledger at each paid call."""

    ledger: Path = Path()
    slowest: float = 0.4
    """Seconds an answer takes at most."""
    bought: Counter[str] = field(default_factory=Counter)
    unmarked: list[str] = field(default_factory=list)
    """Jobs whose order was not in the ledger when it came in here."""
    followed: set[str] = field(default_factory=set)
    """Jobs that were asked after by their number: it was known, so it must have been written down."""
    chance: random.Random = field(default_factory=random.Random)

    async def note(self, request: Request) -> Any:
        body = await World.note(self, request)
        if request.method == "POST" and request.url.path.endswith(BILLED):
            name = job_in(body)
            self.bought[name] += 1
            if not await asyncio.to_thread(self._is_marked, name):
                self.unmarked.append(name)
        elif clip := self.state.get("xai.clips", {}).get(request.path_params.get("number")):
            self.followed.add(job_in({"prompt": clip["text"]}))
        return body

    async def wait(self, words: str) -> None:
        await asyncio.sleep(self.chance.random() * self.slowest)

    def _is_marked(self, name: str) -> bool:
        with closing(sqlite3.connect(self.ledger, timeout=10)) as ledger:
            row = ledger.execute("SELECT ordered_at FROM ima2_jobs WHERE id = ?", (name,)).fetchone()
        return row is not None and row[0] is not None


def job_in(body: Any) -> str:
    """The job that a call is for: its prompt says it."""
    found = _JOB.search(str(body.get("prompt", "")) if isinstance(body, dict) else "")
    return found[1] if found else "nobody"


def prompt(name: str) -> str:
    """A prompt that carries the job's name to the upstream, also through a planner."""
    return f"a boat draw:{name} order:{name}"
