"""What ``ima2 node`` sends, and what it makes of the answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")

ROUTE = "POST /api/node/generate"
PHASE = ("phase", {"phase": "streaming"})
FACTS: dict[str, Any] = {
    "nodeId": "n_0a1b",
    "parentNodeId": None,
    "elapsed": 11.9,
    "url": "/generated/n_0a1b.png",
    "warnings": [],
}


@pytest.fixture
def answer_of(picture: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """What the server says of a node."""
    return {**FACTS, "image": picture(2)["image"], "filename": "n_0a1b.png"}


@pytest.fixture
def growing(stub: Any, told: Callable[..., None], answer_of: dict[str, Any]) -> Any:
    """A server that grows nodes."""
    told(ROUTE, PHASE, ("partial", {"image": "abc", "index": 0}), ("done", answer_of))
    return stub


def test_the_picture_of_the_last_word_is_saved_and_the_node_named(
    ima2: Any, growing: Any, pixel: Callable[[int], bytes]
) -> None:
    answer = ima2("node", "generate", "a", "harbour", "--parent", "n_9", "--session", "s", "-o", "out.png")
    assert answer.code == 0
    (asked,) = growing.asked(ROUTE)
    body = asked.body
    assert asked.headers["accept"] == "text/event-stream"
    assert asked.headers["x-request-id"] == body["requestId"]
    assert re.fullmatch(r"req_cli_node_[0-9a-z]+_[0-9a-z]{6}", body.pop("requestId"))
    assert body == {
        "prompt": "a harbour",
        "quality": "low",
        "size": "1024x1024",
        "n": 1,
        "references": [],
        "moderation": "low",
        "parentNodeId": "n_9",
        "sessionId": "s",
        "partials": 0,
        "queue": True,
    }
    assert Path("out.png").read_bytes() == pixel(2)
    assert answer.out.splitlines() == ["streaming", "✓ out.png", "node n_0a1b", "elapsed 11.9s"]


def test_json_names_the_file_and_everything_but_the_bytes(ima2: Any, growing: Any) -> None:
    answer = ima2("node", "generate", "x", "-o", "out.png", "--json")
    assert answer.json == {
        "ok": True,
        "requestId": growing.asked(ROUTE)[0].body["requestId"],
        "nodeId": "n_0a1b",
        "paths": ["out.png"],
        "doneInfo": {**FACTS, "filename": "n_0a1b.png"},
    }


def test_without_a_stream_the_answer_is_printed_as_it_came(
    ima2: Any, stub: Any, answer_of: dict[str, Any], pixel: Callable[[int], bytes]
) -> None:
    stub.on(ROUTE, answer_of)
    answer = ima2("node", "generate", "x", "--no-stream", "-o", "out.png", "--json")
    assert answer.json == {**answer_of, "paths": ["out.png"]}
    assert "text/event-stream" not in stub.asked(ROUTE)[0].headers.get("accept", "")
    assert Path("out.png").read_bytes() == pixel(2)
    text = ima2("node", "generate", "x", "--no-stream", "-o", "out.png")
    assert text.out.splitlines() == ["✓ out.png", "node n_0a1b", "elapsed 11.9s"]


@pytest.mark.parametrize("how", [(), ("--no-stream",)])
def test_a_refusal_before_the_stream_is_read_in_its_nested_shape(ima2: Any, stub: Any, how: tuple[str, ...]) -> None:
    refused = {"error": {"code": "NODE_NOT_FOUND", "message": "no such node"}, "parentNodeId": "n_9", "status": 404}
    stub.on(ROUTE, refused, 404)
    answer = ima2("node", "generate", "x", "--parent", "n_9", "--json", *how)
    assert (answer.code, answer.json["code"], answer.json["error"]) == (5, "NODE_NOT_FOUND", "no such node")


def test_a_nested_error_event_ends_as_its_code_says(ima2: Any, told: Any) -> None:
    nested = {"error": {"code": "SAFETY_REFUSAL", "message": "refused"}, "parentNodeId": None, "status": 422}
    told(ROUTE, PHASE, ("error", nested))
    answer = ima2("node", "generate", "x")
    assert answer.code == 7
    assert "✗ refused (SAFETY_REFUSAL)" in answer.err


def test_a_stream_without_a_last_word_is_a_failure(ima2: Any, told: Any) -> None:
    told(ROUTE, PHASE)
    assert ima2("node", "generate", "x").code == 6


def test_a_broken_stream_is_collected_and_the_node_known_by_its_file(
    ima2: Any, stub: Any, told: Any, pixel: Callable[[int], bytes]
) -> None:
    told(ROUTE, PHASE, None)
    row = {"status": "completed", "meta": {"filename": "n_77.png"}}
    stub.on(
        "GET /api/inflight",
        lambda _: (200, {"terminalJobs": [{**row, "requestId": stub.asked(ROUTE)[0].body["requestId"]}]}),
    )
    stub.on("GET /generated/n_77.png", pixel(4))
    answer = ima2("node", "generate", "x", "-o", "a.png", "--json").json
    assert (answer["nodeId"], answer["recovered"], answer["paths"]) == ("n_77", True, ["a.png"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("generate",), "prompt"),
        (("generate", "x", "-n", "2"), "one picture"),
        (("generate", "--prompt", "x"), "--prompt"),
        (("generate", "x", "--node", "n_1"), "--node"),
        (("show",), "node"),
    ],
)
def test_a_mistake_in_the_command_line_ends_with_2_and_asks_nobody(
    ima2: Any, stub: Any, args: tuple[str, ...], said: str
) -> None:
    answer = ima2("node", *args)
    assert answer.code == 2
    assert said in answer.err.lower()
    assert stub.requests == []


def test_a_bare_group_shows_its_help(ima2: Any) -> None:
    answer = ima2("node")
    assert answer.code == 0
    assert "generate" in answer.out
    assert "show" in answer.out


def test_show_prints_json_with_and_without_the_flag(ima2: Any, stub: Any) -> None:
    import json

    node = {"nodeId": "n_é", "meta": {"prompt": "x"}, "url": "/generated/n.png"}
    stub.on("GET /api/node/a%2Fb", node)
    assert ima2("node", "show", "a/b", "--json").json == node
    assert json.loads(ima2("node", "show", "a/b").out) == node
    assert ima2("node", "show", "gone").code == 5
