"""What a killed server leaves behind, and what the next one says about it."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.upstreams import responses
from tests.upstreams.world import World, running

SLOW = {"prompt": "a boat demo:delay=60000", "provider": "demo", "async": True}


def frames(text: str) -> list[dict[str, str]]:
    parts = [dict(line.split(": ", 1) for line in block.split("\n") if ": " in line) for block in text.split("\n\n")]
    return [part for part in parts if "event" in part]


def listen(served: Any, headers: dict[str, str], until: str, got: list[str]) -> threading.Thread:
    def run() -> None:
        with httpx.stream("GET", f"{served.client.base_url}/api/events", headers=headers, timeout=20) as answer:
            for piece in answer.iter_text():
                got.append(piece)
                if until in "".join(got):
                    return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def wait_for(check: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def half_files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_free_work_that_ran_when_the_server_died_runs_again(serve: Any, how: int) -> None:
    served = serve()
    got: list[str] = []
    listening = listen(served, {}, "event: phase", got)
    time.sleep(0.3)
    served.client.post("/api/generate", json={**SLOW, "requestId": "lost"})
    listening.join(10)
    served.stop(how)
    served.start()
    jobs = served.client.get("/api/inflight?includeTerminal=1").json()
    assert [job["requestId"] for job in jobs["jobs"]] == ["lost"]
    assert jobs["terminalJobs"] == []
    assert served.client.post("/api/generate", json={**SLOW, "requestId": "lost"}).status_code == 409
    assert served.client.delete("/api/inflight/lost").json() == {"requestId": "lost", "active": True, "aborted": True}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_paid_work_that_nobody_can_follow_has_an_unknown_outcome_which_is_told_once(serve: Any, how: int) -> None:
    world = World()
    with running(world, [*responses.routes(world)]):
        served = serve(plugins="local_storage,sse,openai_api", **responses.environment(world.base_url))
        got: list[str] = []
        listening = listen(served, {}, "event: phase", got)
        time.sleep(0.3)
        body = {"prompt": "a boat STALL", "provider": "api", "requestId": "paid", "async": True}
        served.client.post("/api/generate", json=body)
        listening.join(10)
        cursor = frames("".join(got))[0]["id"]
        wait_for(lambda: world.seen)
        served.stop(how)
        served.start()
        wait_for(lambda: served.client.get("/api/inflight?includeTerminal=1").json()["terminalJobs"])
        ended = served.client.get("/api/inflight?includeTerminal=1").json()["terminalJobs"][0]
        assert (ended["requestId"], ended["status"], ended["errorCode"]) == ("paid", "error", "OUTCOME_UNKNOWN")
        again: list[str] = []
        listen(served, {"last-event-id": cursor}, "OUTCOME_UNKNOWN", again).join(10)
        told = [frame for frame in frames("".join(again)) if frame["event"] == "error"]
        assert [json.loads(frame["data"])["code"] for frame in told] == ["OUTCOME_UNKNOWN"]
        assert "billed" in json.loads(told[0]["data"])["error"]
        assert len([one for one in world.seen if one.method == "POST"]) == 1


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_killed_at_any_moment_no_half_file_is_left_and_the_list_is_true(serve: Any, pause: float) -> None:
    served = serve(IMA2_DEMO_DELAY_MS="30")
    served.client.post(
        "/api/generate", json={"prompt": "a boat", "provider": "demo", "n": 4, "requestId": "k", "async": True}
    )
    time.sleep(pause)
    served.stop(signal.SIGKILL)
    served.start()
    assert half_files(served.generated) == []
    rows: list[Any] = []

    def listed() -> bool:
        health = served.client.get("/api/health").json()
        rows[:] = served.client.get("/api/history").json()["items"]
        return "indexing" not in health and len(rows) == len(list(served.generated.glob("*.png")))

    wait_for(listed)
    for row in rows:
        picture = served.client.get(row["url"])
        assert picture.content.endswith(b"IEND\xaeB`\x82")
        assert row["prompt"] == "a boat"
    ended = {
        job["requestId"]: job for job in served.client.get("/api/inflight?includeTerminal=1").json()["terminalJobs"]
    }
    if "k" in ended:
        assert (ended["k"]["status"], ended["k"].get("errorCode")) in {
            ("completed", None),
            ("error", "SERVER_RESTARTED"),
        }
    wait_for(lambda: served.client.get("/api/inflight").json()["jobs"] == [])


def test_stopping_politely_ends_streams_at_once_and_takes_the_advertisement_down(serve: Any) -> None:
    served = serve()
    advertisement = served.home / "server.json"
    assert json.loads(advertisement.read_text())["port"] == served.port
    listening = listen(served, {}, "never", [])
    time.sleep(0.3)
    began = time.monotonic()
    assert served.stop() == 0
    assert time.monotonic() - began < 3
    assert not advertisement.exists()
    listening.join(5)
    assert not listening.is_alive()


def test_commands_work_beside_each_other_and_beside_a_server_that_starts_meanwhile(serve: Any, at_work: Any) -> None:
    """Each job has a living owner, and nobody touches another's."""
    served = serve(IMA2_DEMO_DELAY_MS="15000")
    served.stop()
    cli = at_work(served.environ)
    commands = [cli.start("gen", "a kite", "--provider", "demo", "-s", "64x64") for _ in range(2)]

    def ledger() -> dict[str, tuple[str, str]]:
        with closing(sqlite3.connect(served.home / "sessions.db")) as database:
            rows = database.execute("SELECT id, status, owner FROM ima2_jobs").fetchall()
        return {name: (status, owner) for name, status, owner in rows}

    wait_for(lambda: [status for status, _ in ledger().values()] == ["active", "active"])
    served.start()
    during = ledger()
    assert [status for status, _ in during.values()] == ["active", "active"]
    assert len({owner for _, owner in during.values()}) == 2
    for process in commands:
        process.communicate(timeout=60)
    assert [process.returncode for process in commands] == [0, 0]
    assert [status for status, _ in ledger().values()] == ["completed", "completed"]
    wait_for(lambda: len(served.client.get("/api/history").json()["items"]) == 2)
    assert served.client.get("/api/inflight").json()["jobs"] == []
