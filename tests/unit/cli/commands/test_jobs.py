"""``ima2 ps``, ``cancel`` and ``inflight``."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")

LONG = "req_cli_gen_mwstbj31_ouf1vu_and_more"
ROW = {"requestId": LONG, "kind": "classic", "prompt": "p" * 50, "phase": "streaming", "meta": {"model": "m"}}


@pytest.fixture
def busy(stub: Any) -> Any:
    now = time.time() * 1000
    ended = {
        "requestId": "old",
        "kind": "classic",
        "status": "completed",
        "finishedAt": now - 30_000,
        "prompt": "한국 어",
    }
    stub.on("GET /api/inflight", {"jobs": [{**ROW, "startedAt": now - 9_000}], "terminalJobs": [ended]})
    return stub


@pytest.mark.parametrize("command", [("ps",), ("inflight", "ls")])
def test_the_list_shows_whole_ids_and_short_prompts(ima2: Any, busy: Any, command: tuple[str, ...]) -> None:
    lines = ima2(*command).out.splitlines()
    assert lines[1].split() == ["ID", "KIND", "PHASE", "AGE", "PROMPT"]
    assert lines[3].split() == [LONG, "classic", "streaming", "9s", "p" * 37 + "…"]


def test_ended_jobs_are_a_second_table(ima2: Any, busy: Any) -> None:
    answer = ima2("ps", "--terminal")
    assert "STATUS" in answer.out
    assert answer.out.splitlines()[-1].split() == ["old", "classic", "completed", "30s", "한국", "어"]
    assert busy.asked("GET /api/inflight")[0].query == {"includeTerminal": "1"}


def test_json_is_the_jobs_alone_unless_the_ended_are_asked_for(ima2: Any, busy: Any) -> None:
    assert set(ima2("ps", "--json").json) == {"jobs"}
    assert set(ima2("ps", "--json", "--terminal").json) == {"jobs", "terminalJobs"}
    ima2("ps", "--kind", "video", "--session", "s 1")
    assert busy.requests[-1].query == {"kind": "video", "sessionId": "s 1"}


def test_a_bare_inflight_lists(ima2: Any, busy: Any) -> None:
    assert LONG in ima2("inflight").out


def test_nothing_running_is_a_remark(ima2: Any, stub: Any) -> None:
    stub.on("GET /api/inflight", {"jobs": []})
    answer = ima2("ps")
    assert answer.code == 0
    assert "(no jobs)" in answer.out


@pytest.mark.parametrize("command", [("cancel",), ("inflight", "rm")])
def test_cancelling_answers_with_exactly_two_keys(ima2: Any, stub: Any, command: tuple[str, ...]) -> None:
    stub.on("DELETE /api/inflight/a%2Fb", {"requestId": "a/b", "active": True, "aborted": True})
    answer = ima2(*command, "a/b", "--json")
    assert answer.code == 0
    assert answer.json == {"ok": True, "requestId": "a/b"}
    assert answer.err == ""


def test_cancelling_what_does_not_run_is_no_failure_but_is_said(ima2: Any, stub: Any) -> None:
    stub.on("DELETE /api/inflight/X", {"requestId": "X", "active": False, "aborted": False})
    answer = ima2("cancel", "X")
    assert answer.code == 0
    assert "canceled X" in answer.out
    assert "not running" in answer.err


def test_cancel_without_an_id_ends_with_2(ima2: Any, stub: Any) -> None:
    answer = ima2("cancel")
    assert answer.code == 2
    assert "requestId" in answer.err


def test_a_cancel_that_fails_names_its_job(ima2: Any) -> None:
    answer = ima2("cancel", "X", "--json")
    assert answer.code == 3
    assert (answer.json["code"], answer.json["requestId"]) == ("SERVER_UNREACHABLE", "X")


@pytest.mark.parametrize("command", ["ps", "inflight"])
def test_the_help_names_the_kinds(ima2: Any, command: str) -> None:
    assert "classic|node|multimode" in ima2(command, "--help").out
