"""``ima2 get``, ``wait`` and ``cancel`` of several: jobs that nobody waited for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def jobs(stub: Any, pixel: Callable[[int], bytes]) -> Any:
    """A server that knows a job at work, one that is done and one that failed."""
    ended = [
        {"requestId": "done_1", "status": "completed", "meta": {"filenames": ["a.png", "b.png"]}},
        {"requestId": "bad_1", "status": "error", "errorCode": "SAFETY_REFUSAL", "httpStatus": 422},
    ]
    stub.on("GET /api/inflight", {"jobs": [{"requestId": "busy_1", "phase": "streaming"}], "terminalJobs": ended})
    stub.on("GET /api/history", {"items": []})
    stub.on("GET /generated/a.png", pixel(1))
    stub.on("GET /generated/b.png", pixel(2))
    stub.on("DELETE /api/inflight/busy_1", {"active": True, "aborted": True})
    stub.on("DELETE /api/inflight/gone", {"active": False, "aborted": False})
    return stub


def test_what_a_job_made_is_fetched_by_the_beginning_of_its_id(
    ima2: Any, jobs: Any, pixel: Callable[[int], bytes]
) -> None:
    answer = ima2("get", "done", "-d", "out")
    assert (answer.code, answer.out.splitlines()) == (0, ["✓ out/a.png", "✓ out/b.png"])
    assert [Path("out/a.png").read_bytes(), Path("out/b.png").read_bytes()] == [pixel(1), pixel(2)]
    assert ima2("get", "done_1", "-o", "x.png", "--json").json["paths"][0] == "x.png"


def test_a_job_that_runs_is_not_fetched_and_one_that_nobody_knows_is_told(ima2: Any, jobs: Any) -> None:
    running = ima2("get", "busy_1", "--json")
    assert (running.code, running.json["code"], running.json["requestId"]) == (5, "JOB_RUNNING", "busy_1")
    unknown = ima2("get", "nothing", "--json")
    assert (unknown.code, unknown.json["code"]) == (5, "JOB_NOT_FOUND")


def test_waiting_for_several_goes_on_after_one_that_failed(ima2: Any, jobs: Any) -> None:
    answer = ima2("wait", "bad_1", "done_1", "-d", "out", "--json")
    assert answer.code == 7
    assert [(row["requestId"], row["ok"]) for row in answer.json["jobs"]] == [("bad_1", False), ("done_1", True)]
    assert Path("out/b.png").is_file()


def test_waiting_has_a_limit(ima2: Any, jobs: Any) -> None:
    answer = ima2("wait", "busy_1", "--timeout", "1", "--json")
    assert (answer.code, answer.json["code"]) == (8, "CLIENT_TIMEOUT")


def test_the_file_that_was_promised_appears_when_a_detached_job_is_waited_for(
    ima2: Any, stub: Any, home: Path, pixel: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stub.on("POST /api/generate", lambda asked: (202, {"requestId": asked.body["requestId"]}))
    job = ima2("gen", "x", "--detach", "-o", "fox.png").out.strip()
    ended = {"requestId": job, "status": "completed", "meta": {"filenames": ["a.png"]}}
    stub.on("GET /api/inflight", {"jobs": [], "terminalJobs": [ended]})
    stub.on("GET /generated/a.png", pixel(1))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert ima2("wait", job).out == f"✓ {tmp_path / 'fox.png'}\n"
    assert (tmp_path / "fox.png").read_bytes() == pixel(1)
    assert list((home / "state" / "promises").iterdir()) == []


def test_a_promise_is_kept_after_a_lost_connection_and_forgotten_after_success_and_refusal(
    ima2: Any, stub: Any, home: Path
) -> None:
    promises = home / "state" / "promises"
    assert ima2("gen", "x", "-o", "a.png").code == 0
    assert list(promises.iterdir()) == []
    stub.on("POST /api/generate", {"error": "no", "code": "SAFETY_REFUSAL"}, 422)
    assert ima2("gen", "x", "-o", "a.png").code == 7
    assert list(promises.iterdir()) == []
    stub.on("POST /api/generate", None)
    stub.on("GET /api/inflight", {"jobs": []})
    stub.on("GET /api/history", {"items": []})
    assert ima2("gen", "x", "-o", "a.png").code == 1
    assert len(list(promises.iterdir())) == 1


def test_one_job_is_cancelled_by_the_beginning_of_its_id(ima2: Any, jobs: Any) -> None:
    jobs.on("DELETE /api/inflight/busy", {"active": False, "aborted": False})
    answer = ima2("cancel", "busy")
    assert (answer.code, answer.err) == (0, "")
    assert len(jobs.asked("DELETE /api/inflight/busy_1")) == 1


def test_cancelling_several_tells_of_each(ima2: Any, jobs: Any) -> None:
    answer = ima2("cancel", "busy", "gone", "--json")
    assert answer.code == 5
    assert answer.json == {
        "ok": False,
        "jobs": [{"requestId": "busy_1", "canceled": True}, {"requestId": "gone", "canceled": False}],
    }
    assert ima2("cancel", "busy_1", "gone").out.splitlines() == ["✓ canceled busy_1", "✗ gone was not running"]
    everything = ima2("cancel", "--all")
    assert (everything.code, everything.out) == (0, "✓ canceled busy_1\n")
    assert ima2("cancel").code == ima2("cancel", "x", "--all").code == 2


@pytest.mark.parametrize(
    ("facts", "line", "fields"),
    [
        ({"cost": 0.042, "costEstimate": 0.05}, "cost $0.0420", {"cost": 0.042, "costEstimate": 0.05}),
        ({"costEstimate": 1.5}, "cost about $1.50 (list price)", {"costEstimate": 1.5}),
        ({"cost": None}, None, {}),
    ],
)
def test_money_is_shown_as_reported_or_as_estimated(
    ima2: Any, stub: Any, picture: Any, facts: dict[str, Any], line: str | None, fields: dict[str, Any]
) -> None:
    stub.on("POST /api/generate", {**picture(1), "elapsed": 1.5, **facts})
    text = ima2("gen", "x", "-o", "a.png").out.splitlines()
    assert text == ["✓ a.png", "elapsed 1.5s", *([line] if line else [])]
    answer = ima2("gen", "x", "-o", "a.png", "--json").json
    assert {name: answer[name] for name in ("cost", "costEstimate") if name in answer} == fields


def test_the_list_and_one_pictures_facts_show_what_it_cost(ima2: Any, stub: Any) -> None:
    row = {"filename": "a.png", "createdAt": 1, "prompt": "p", "cost": 0.04, "width": 64, "height": 32}
    stub.on("GET /api/history", {"items": [row, {**row, "filename": "b.png", "cost": None}], "total": 2})
    lines = ima2("ls").out.splitlines()
    assert lines[0].split() == ["FILENAME", "Q", "SIZE", "WHEN", "COST", "PROMPT"]
    assert ["$0.0400" in line for line in lines[2:]] == [True, False]
    shown = ima2("show", "a.png").out
    assert "64x32" in shown
    assert "$0.0400" in shown
