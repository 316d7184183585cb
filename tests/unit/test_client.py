"""``ima2.Client``: a running server, talked to from Python."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.cli.stub import Handler, QuietServer, Stub, event

import ima2


@pytest.fixture
def server() -> Iterator[Stub]:
    """A server that answers as it is told."""

    class Own(Handler):
        pass

    listening = QuietServer(("127.0.0.1", 0), Own)
    listening.daemon_threads = True
    Own.stub = Stub(f"http://127.0.0.1:{listening.server_address[1]}")
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield Own.stub
    listening.shutdown()
    listening.server_close()
    thread.join()


async def test_it_has_pictures_made_and_says_who_asks(server: Stub) -> None:
    server.on("POST /api/generate", {"filename": "a.png", "requestId": "r"})
    async with ima2.Client(f"{server.url}/", name="robot") as client:
        assert (await client.generate("a lighthouse", n=2))["filename"] == "a.png"
    (asked,) = server.requests
    assert asked.body == {"n": 2, "prompt": "a lighthouse"}
    assert asked.headers["x-ima2-client"] == f"robot/{ima2.VERSION}"


async def test_a_token_that_is_given_beats_the_variable(server: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMA2_LAN_TOKEN", "from-the-variable")
    server.on("GET /api/inflight", {"jobs": []})
    async with ima2.Client(server.url) as client, ima2.Client(server.url, token="given") as other:
        await client.jobs()
        await other.jobs(ended=True)
    assert [one.headers["authorization"] for one in server.requests] == ["Bearer from-the-variable", "Bearer given"]
    assert [one.query for one in server.requests] == [{}, {"includeTerminal": "1"}]


@pytest.mark.parametrize(
    ("answer", "stopped"), [({"active": True}, True), ({"active": False, "aborted": False}, False)]
)
async def test_cancel_says_whether_there_was_a_job(server: Stub, answer: Any, stopped: bool) -> None:
    server.on("DELETE /api/inflight/a%2Fb", answer)
    async with ima2.Client(server.url) as client:
        assert await client.cancel("a/b") == stopped


@pytest.mark.parametrize(
    "body", [{"error": "busy", "code": "TOO_MANY_JOBS"}, {"error": {"code": "TOO_MANY_JOBS", "message": "busy"}}]
)
async def test_a_refusal_is_an_error_with_the_servers_code(server: Stub, body: Any) -> None:
    server.on("POST /api/generate", {**body, "requestId": "r"}, 429)
    async with ima2.Client(server.url) as client:
        with pytest.raises(ima2.Ima2Error) as caught:
            await client.generate("x")
    error = caught.value
    assert (error.code, error.status, error.text, error.details) == ("TOO_MANY_JOBS", 429, "busy", {"requestId": "r"})


async def test_a_stream_is_handed_over_event_by_event_until_it_is_enough(server: Stub) -> None:
    pieces = [event("phase", phase="planning"), event("done", elapsed=1), event("phase", phase="never")]
    server.on("POST /api/x", lambda _: (200, iter(pieces)))
    heard: list[ima2.StreamEvent] = []

    def handle(one: ima2.StreamEvent) -> bool:
        heard.append(one)
        return one.name == "done"

    async with ima2.Client(server.url) as client:
        await client.stream("/api/x", body={"a": 1}, handle=handle)
    assert [one.name for one in heard] == ["phase", "done"]
    assert heard[1].fields == {"elapsed": 1}


async def test_what_is_no_answer_of_ours_is_told_as_that(server: Stub) -> None:
    server.on("GET /api/inflight", json.dumps([1]).encode())
    async with ima2.Client(server.url) as client:
        with pytest.raises(ima2.Ima2Error) as caught:
            await client.jobs()
    assert caught.value.code == "ANSWER_INVALID"
