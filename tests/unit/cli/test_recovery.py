"""What happens when the answer of a job does not come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")


def hanging(stub: Any, seconds: float = 20) -> Callable[[Any], Any]:
    def wait(_asked: Any) -> Any:
        stub.closing.wait(seconds)
        return 200, None

    return wait


def job(stub: Any, **more: Any) -> dict[str, Any]:
    return {"requestId": stub.posted["requestId"], "kind": "classic", **more}


def test_a_job_that_ended_after_the_time_limit_is_collected(
    ima2: Any, stub: Any, pixel: Callable[[int], bytes]
) -> None:
    stub.on("POST /api/generate", hanging(stub))
    ended = {"status": "completed", "meta": {"filenames": ["made/é 1.png"]}}
    stub.on("GET /api/inflight", lambda _: (200, {"jobs": [], "terminalJobs": [job(stub, **ended)]}))
    stub.on("GET /generated/made/%C3%A9%201.png", pixel(7))
    answer = ima2("gen", "x", "--timeout", "1", "-o", "a.png", "--json")
    assert answer.code == 0
    assert answer.json["recovered"] is True
    assert answer.json["images"] == [{"path": "a.png", "filename": "made/é 1.png"}]
    assert Path("a.png").read_bytes() == pixel(7)
    assert len(stub.asked("POST /api/generate")) == 1


def test_a_job_that_nobody_lists_any_more_is_found_in_the_gallery(
    ima2: Any, stub: Any, pixel: Callable[[int], bytes]
) -> None:
    stub.on("POST /api/generate", hanging(stub))
    stub.on("GET /api/inflight", {"jobs": [], "terminalJobs": []})
    rows = [{"filename": "other.png", "requestId": "x"}, {"filename": "mine.png"}]
    stub.on("GET /api/history", lambda _: (200, {"items": [rows[0], {**rows[1], "requestId": job(stub)["requestId"]}]}))
    stub.on("GET /generated/mine.png", pixel(1))
    answer = ima2("gen", "x", "--timeout", "1", "-o", "a.png")
    assert answer.code == 0
    assert stub.asked("GET /api/history")[0].query == {"limit": "1", "requestId": stub.posted["requestId"]}


def test_a_job_that_failed_meanwhile_ends_with_its_own_code(ima2: Any, stub: Any) -> None:
    stub.on("POST /api/generate", hanging(stub))
    ended = {"status": "error", "errorCode": "SAFETY_REFUSAL", "httpStatus": 422, "meta": {}}
    stub.on("GET /api/inflight", lambda _: (200, {"jobs": [], "terminalJobs": [job(stub, **ended)]}))
    answer = ima2("gen", "x", "--timeout", "1", "--json")
    assert (answer.code, answer.json["code"]) == (7, "SAFETY_REFUSAL")


def test_a_job_that_still_runs_at_the_limit_ends_with_8_and_its_id(ima2: Any, stub: Any) -> None:
    stub.on("POST /api/generate", hanging(stub))
    stub.on("GET /api/inflight", lambda _: (200, {"jobs": [job(stub, phase="streaming")], "terminalJobs": []}))
    answer = ima2("gen", "x", "--timeout", "1", "--json")
    assert (answer.code, answer.json["code"]) == (8, "CLIENT_TIMEOUT")
    assert answer.json["requestId"] == stub.posted["requestId"]
    assert "still runs" in answer.json["error"]


def test_without_a_limit_of_the_person_a_job_is_waited_for_as_long_as_it_runs(
    ima2: Any, stub: Any, pixel: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ima2.cli.job_request.JobRequest.limit", 1)
    monkeypatch.setattr("ima2.cli.recovery.GRACE_S", 0)
    stub.on("POST /api/generate", hanging(stub))
    looks: list[int] = []

    def inflight(_asked: Any) -> Any:
        looks.append(1)
        ended = job(stub, status="completed", meta={"filenames": ["m.png"]})
        return 200, {"jobs": [job(stub)] if len(looks) < 4 else [], "terminalJobs": [ended]}

    stub.on("GET /api/inflight", inflight)
    stub.on("GET /generated/m.png", pixel(2))
    assert ima2("gen", "x", "-o", "a.png").code == 0
    assert len(looks) == 4


def test_a_broken_connection_is_no_second_order(ima2: Any, stub: Any, pixel: Callable[[int], bytes]) -> None:
    stub.on("POST /api/generate", lambda _: (200, None))
    looks: list[int] = []

    def inflight(_asked: Any) -> Any:
        looks.append(1)
        if len(looks) < 3:
            return 200, {"jobs": [job(stub)], "terminalJobs": []}
        return 200, {"jobs": [], "terminalJobs": [job(stub, status="completed", meta={"filename": "m.png"})]}

    stub.on("GET /api/inflight", inflight)
    stub.on("GET /generated/m.png", pixel(2))
    answer = ima2("gen", "x", "-o", "a.png")
    assert answer.code == 0
    assert "still runs on the server: waiting" in answer.err
    assert len(stub.asked("POST /api/generate")) == 1


def test_a_broken_connection_to_a_server_that_knows_nothing_ends_with_1(ima2: Any, stub: Any) -> None:
    stub.on("POST /api/generate", lambda _: (200, None))
    stub.on("GET /api/inflight", {"jobs": [], "terminalJobs": []})
    stub.on("GET /api/history", {"items": []})
    answer = ima2("gen", "x", "--json")
    assert (answer.code, answer.json["code"]) == (1, "CONNECTION_LOST")
    assert stub.posted["requestId"] in answer.json["error"]
