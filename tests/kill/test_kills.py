"""Killed again and again while it draws: nothing paid is lost or bought twice, every job ends once, every word is true.

``IMA2_KILLS`` says how often (10), ``IMA2_KILL_SEED`` with which chances (1); ``make kill`` runs sixty.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kill.reader import Reader
from tests.kill.upstream import CountingWorld, prompt
from tests.upstreams import xai
from tests.upstreams.world import running

KILLS = int(os.environ.get("IMA2_KILLS", "10"))
SEED = int(os.environ.get("IMA2_KILL_SEED", "1"))
FREE_ENDS = {"SERVER_RESTARTED"}
"""Codes of ends before anything was bought."""


@dataclass
class Orders:
    """What was asked for: how many pictures or clips each job wants."""

    wanted: dict[str, int] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)

    def send(self, client: httpx.Client, chance: random.Random) -> None:
        """Ask for something: pictures or a clip, waiting in line where that is needed."""
        name = f"kill{len(self.wanted)}"
        count = chance.choice((1, 1, 2, 4))
        body: dict[str, Any] = {"prompt": prompt(name), "provider": "grok-api", "requestId": name, "async": True}
        clip = chance.random() < 0.5
        self.wanted[name] = 1 if clip else count
        path = "/api/video/generate" if clip else "/api/generate"
        more = {"duration": 6} if clip else {"n": count, "mode": "direct", "size": "1024x1024"}
        try:
            answer = client.post(path, json={**body, **more, "queue": True})
        except httpx.TransportError:
            return  # it may have been taken or not: the ledger knows
        assert answer.status_code in (202, 503), answer.text

    def stop_one(self, client: httpx.Client, chance: random.Random) -> None:
        """Cancel a job, running, in line or over."""
        name = chance.choice(sorted(self.wanted))
        self.stopped.add(name)
        with suppress(httpx.TransportError):
            client.delete(f"/api/inflight/{name}")


@dataclass
class Aftermath:
    """What there is in the end: the ledger, the files, the gallery's rows, by job."""

    jobs: dict[str, dict[str, Any]]
    files: Counter[str]
    rows: Counter[str]
    halves: list[str]


def aftermath(served: Any) -> Aftermath:
    with closing(sqlite3.connect(served.home / "sessions.db")) as ledger:
        ledger.row_factory = sqlite3.Row
        jobs = {row["id"]: dict(row) for row in ledger.execute("SELECT * FROM ima2_jobs")}
    files: Counter[str] = Counter()
    for path in served.generated.rglob("*.json"):
        facts = json.loads(path.read_text())
        picture = path.with_suffix("")
        if picture.suffix in (".jpeg", ".png", ".mp4") and picture.is_file() and ".trash" not in path.parts:
            files[facts["requestId"]] += 1
    history = served.client.get("/api/history?limit=500").json()["items"]
    rows = Counter(row["requestId"] for row in history)
    halves = [path.name for path in served.generated.rglob(".*.tmp")]
    return Aftermath(jobs, files, rows, halves)


def hold_the_database(path: Path, seconds: float) -> threading.Thread:
    """Lock the database for a moment, as a backup or another program would."""

    def hold() -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=2)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                other.execute("ROLLBACK")
            except sqlite3.OperationalError:
                return

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    return thread


def wait_until(check: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.alone
@pytest.mark.timeout(60 + 20 * KILLS)
def test_killed_at_any_moment_nothing_paid_is_lost_or_doubled_and_every_job_ends_once(serve: Any) -> None:
    chance = random.Random(SEED)
    world = CountingWorld(chance=random.Random(SEED))
    with running(world, [*xai.routes(world)]):
        served = serve(
            plugins="local_storage,sse,grok",
            IMA2_XAI_BASE_URL=f"{world.base_url}/xai/v1",
            XAI_API_KEY=xai.KEY,
            IMA2_GROK_VIDEO_POLL_INTERVAL_MS="100",
            IMA2_MAX_JOBS="3",
        )
        world.ledger = served.home / "sessions.db"
        orders, reader = Orders(), Reader(str(served.client.base_url))
        for _ in range(KILLS):
            if chance.random() < 0.3:
                hold_the_database(world.ledger, chance.random())
            for _ in range(chance.choice((1, 2, 4))):
                orders.send(served.client, chance)
            if chance.random() < 0.2:
                orders.stop_one(served.client, chance)
            time.sleep(chance.random() * 1.5)
            served.stop(signal.SIGKILL)
            served.start()
        wait_until(lambda: not served.client.get("/api/inflight").json()["jobs"], 60)
        wait_until(lambda: "indexing" not in served.client.get("/api/health").json(), 30)
        time.sleep(1.0)  # what is still told and noted
        reader.stop()
        found = aftermath(served)
    assert faults(orders, found, world, reader) == []
    print(report(found, world))


def faults(orders: Orders, found: Aftermath, world: CountingWorld, reader: Reader) -> list[str]:
    """Everything that is not as it must be, one sentence each."""
    said = [f"{name} was ordered without a mark" for name in world.unmarked]
    said += [f"{name} is left half written" for name in found.halves]
    said += [f"an order of nobody ({name})" for name in world.bought if name not in orders.wanted]
    said += [f"{name} was bought and is not in the ledger" for name in world.bought if name not in found.jobs]
    for name, job in found.jobs.items():
        wanted, bought, kept = orders.wanted[name], world.bought[name], found.files[name]
        if bought > wanted:
            said.append(f"{name} was bought {bought} times for {wanted}")
        if reader.ends[name] != 1:
            said.append(f"{name} ended {reader.ends[name]} times for its reader")
        if found.rows[name] != kept:
            said.append(f"{name} has {kept} files and {found.rows[name]} rows")
        if name in world.followed and job["status"] == "unknown":
            said.append(f"{name} had a number and is called unknown")
        if job["told_at"] is None:
            said.append(f"the end of {name} is not noted as told")
        if job["status"] != "canceled" or name not in orders.stopped:
            said += mistakes(name, job, wanted, bought, kept)
    return said


def mistakes(name: str, job: dict[str, Any], wanted: int, bought: int, kept: int) -> list[str]:
    """What a job's final status says that is not so."""
    status, code = job["status"], job["error_code"]
    if status == "completed":
        return [] if kept == wanted else [f"{name} is called completed with {kept} of {wanted}"]
    if status == "unknown":
        lost = [f"{name} has a number and was not collected"] if job["receipt"] else []
        return lost + ([f"{name} has all its files and is called unknown"] if kept >= wanted else [])
    if status == "error" and code in FREE_ENDS:
        return [f"{name} was bought {bought} times and is called {code}"] if bought else []
    return [f"{name} ended as {status} with {code}"]


def report(found: Aftermath, world: CountingWorld) -> str:
    ends = Counter(f"{job['status']} {job['error_code'] or ''}".strip() for job in found.jobs.values())
    moved = sum(job["fence"] > 1 and job["status"] == "completed" for job in found.jobs.values())
    paid = sum(world.bought.values())
    return (
        f"{KILLS} kills, {len(found.jobs)} jobs ({moved} completed by a later start), {paid} paid calls: {dict(ends)}"
    )
