"""Agent mode with the demo alone: over HTTP, on the command line, over a restart and a kill."""

from __future__ import annotations

import signal
import sqlite3
import time
from typing import Any

import pytest
from tests.flow.cli import document, until

PLUGINS = "local_storage,pillow_thumbs,sse,demo,agent"


def session_of(served: Any) -> str:
    answer = served.client.post("/api/agent/sessions", json={"title": "Herons"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["selectedSessionId"])


def queue(served: Any, session: str, prompt: str) -> dict[str, Any]:
    answer = served.client.post(f"/api/agent/sessions/{session}/queue", json={"prompt": prompt})
    assert answer.status_code == 202, answer.text
    item: dict[str, Any] = answer.json()["queueItem"]
    return item


def item_of(served: Any, session: str, item: str) -> dict[str, Any]:
    rows = served.client.get(f"/api/agent/sessions/{session}/queue").json()["queue"]
    return next(one for one in rows if one["id"] == item)


def ended(served: Any, session: str, item: str) -> dict[str, Any]:
    def over() -> Any:
        found = item_of(served, session, item)
        return found if found["status"] not in ("queued", "running") else None

    found: dict[str, Any] = until(over, 40)
    return found


def test_the_demo_alone_draws_varies_and_answers(serve: Any) -> None:
    served = serve(plugins=PLUGINS)
    session = session_of(served)
    item = ended(served, session, queue(served, session, "three versions of a heron at dawn")["id"])
    assert (item["status"], len(item["resultImageIds"])) == ("succeeded", 3)
    answer = served.client.post(f"/api/agent/sessions/{session}/queue", json={"prompt": "/q which sea?"})
    assert answer.json()["workspace"]["turnsBySession"][session][-1]["text"].startswith("Demo: ")
    refused = ended(served, session, queue(served, session, "a heron demo:fail=refuse")["id"])
    assert (refused["status"], refused["errorCode"]) == ("failed", "SAFETY_REFUSAL")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_runs_and_waits_when_the_server_goes_is_looked_after_at_the_next_start(serve: Any, how: int) -> None:
    served = serve(plugins=PLUGINS)
    session = session_of(served)
    running = queue(served, session, "/v 2 a heron demo:delay=3000")
    waiting = queue(served, session, "an owl")
    until(lambda: item_of(served, session, running["id"])["status"] == "running")
    time.sleep(0.5)
    served.stop(how)
    served.start()
    first, second = ended(served, session, running["id"]), ended(served, session, waiting["id"])
    assert second["status"] == "succeeded"
    assert first["status"] == "succeeded" or first["errorCode"] == "AGENT_QUEUE_INTERRUPTED"
    shown = served.client.get(f"/api/agent/sessions/{session}").json()
    files = served.client.get(f"/api/history?sessionId={session}").json()["items"]
    assert {one["filename"] for one in files} == {one["filename"] for one in shown["imagesById"].values()}
    assert served.client.get("/api/inflight").json()["jobs"] == []


def test_ten_thousand_turns_are_polled_within_a_moment(serve: Any) -> None:
    served = serve(plugins=PLUGINS)
    session = session_of(served)
    with sqlite3.connect(served.home / "sessions.db") as database:
        rows = [(f"at_{number:026}", session, "user", "words " * 20, number) for number in range(10_000)]
        database.executemany(
            "insert into agent_turns (id, session_id, role, text, created_at) values (?, ?, ?, ?, ?)", rows
        )
    began = time.monotonic()
    answer = served.client.get(f"/api/agent/sessions/{session}")
    assert time.monotonic() - began < 2
    turns = answer.json()["turnsBySession"][session]
    assert (len(turns), answer.json()["olderTurns"]) == (1000, True)
    older = served.client.get(f"/api/agent/sessions/{session}?before={turns[0]['id']}").json()
    assert older["turnsBySession"][session][-1]["id"] < turns[0]["id"]


def test_without_the_plugin_its_routes_are_404_and_its_command_names_the_switch(serve: Any, at_work: Any) -> None:
    served = serve(plugins="local_storage,pillow_thumbs,sse,demo")
    assert served.client.get("/api/agent/sessions").status_code == 404
    done = at_work(served.environ)("agent", "ls")
    assert done.returncode == 2
    assert "ima2 plugins enable agent" in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_the_command_line_talks_to_a_server(serve: Any, at_work: Any) -> None:
    served = serve(plugins=PLUGINS)
    cli = at_work(served.environ)
    session = cli("agent", "new", "Herons").stdout.strip()
    asked = cli("agent", "ask", session, "two", "pictures", "of", "a", "heron")
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.startswith("Made 2 pictures.\n")
    assert asked.stdout.count("_agent.png") == 2
    assert "2 takes" in asked.stderr
    assert cli("agent", "ls").stdout.splitlines()[-1].split() == [session, "idle", "2", "Herons"]
    shown = cli("agent", "show", session).stdout
    assert shown.startswith("user: two pictures of a heron\nassistant: Made 2 pictures.")
    item = cli("agent", "ask", session, "a heron demo:delay=20000", "--detach").stdout.strip()
    assert item in cli("agent", "queue", session).stdout
    assert cli("agent", "cancel", item).returncode == 0
    assert item_of(served, session, item)["status"] == "canceled"
    failed = cli("agent", "ask", session, "a heron demo:fail=refuse", "--json")
    assert failed.returncode == 1
    assert document(failed)["item"]["errorCode"] == "SAFETY_REFUSAL"
    assert cli("agent", "rm", session, "--yes").returncode == 0
    assert "No sessions" in cli("agent", "ls").stdout
    assert cli("agent", "show", session).returncode == 5


def test_the_command_line_draws_without_a_server(serverless: Any) -> None:
    serverless.environ["IMA2_PLUGINS"] = "local_storage,pillow_thumbs,demo,agent"
    session = serverless("agent", "new").stdout.strip()
    asked = serverless("agent", "ask", session, "a heron")
    assert (asked.returncode, asked.stdout.splitlines()[0]) == (0, "Made the picture."), asked.stderr
