"""Waiting in line for a place on the server."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")
FULL = {"error": "12 jobs run", "code": "TOO_MANY_JOBS"}


@pytest.fixture
def full(stub: Any) -> Any:
    """A server without a line, whose first two answers are that it is full."""
    then = stub.routes["POST /api/generate"]

    def answer(asked: Any) -> Any:
        return (429, FULL) if len(stub.asked("POST /api/generate")) < 3 else then(asked)

    stub.on("POST /api/generate", answer)
    return stub


def test_a_request_asks_to_wait_in_line_unless_it_is_told_not_to(ima2: Any, stub: Any) -> None:
    assert ima2("gen", "x").code == 0
    assert stub.posted["queue"] is True
    stub.requests.clear()
    assert ima2("gen", "x", "--no-wait").code == 0
    assert "queue" not in stub.posted


def test_a_server_without_a_line_is_asked_again_when_it_says(ima2: Any, full: Any) -> None:
    full.headers["POST /api/generate"] = {"Retry-After": "0"}
    answer = ima2("gen", "x", "-o", "a.png")
    assert answer.code == 0
    assert answer.err.count("waiting for a free place") == 1
    ids = {one.body["requestId"] for one in full.asked("POST /api/generate")}
    assert (len(full.asked("POST /api/generate")), len(ids)) == (3, 1)


@pytest.mark.parametrize(("more", "head"), [(("--no-wait",), {"Retry-After": "0"}), ((), {})])
def test_who_does_not_wait_or_is_not_told_how_long_takes_the_refusal(
    ima2: Any, full: Any, more: tuple[str, ...], head: dict[str, str]
) -> None:
    full.headers["POST /api/generate"] = head
    answer = ima2("gen", "x", "--json", *more)
    assert (answer.code, answer.json["code"]) == (5, "TOO_MANY_JOBS")
    assert len(full.asked("POST /api/generate")) == 1


def test_waiting_ends_with_the_time_limit(ima2: Any, full: Any) -> None:
    full.headers["POST /api/generate"] = {"Retry-After": "5"}
    answer = ima2("gen", "x", "--timeout", "2")
    assert (answer.code, "TOO_MANY_JOBS" in answer.err) == (5, True)


def test_a_stream_waits_too(ima2: Any, stub: Any, told: Any, picture: Any) -> None:
    told("POST /api/generate/multimode", ("image", picture(1)), ("done", {"returned": 1, "requested": 1}))
    then = stub.routes["POST /api/generate/multimode"]
    route = "POST /api/generate/multimode"
    stub.on(route, lambda asked: (429, FULL) if len(stub.asked(route)) < 2 else then(asked))
    stub.headers[route] = {"Retry-After": "0"}
    assert ima2("multimode", "x", "-d", "out").code == 0
    assert len(stub.asked(route)) == 2
