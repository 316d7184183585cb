"""What ``ima2 multimode`` sends, hears and keeps."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ima2.event_stream import EventReader

pytestmark = pytest.mark.usefixtures("alone")

ROUTE = "POST /api/generate/multimode"
Picture = Callable[[int], dict[str, Any]]
PHASE = ("phase", {"phase": "streaming", "maxImages": 2})


def done(returned: int = 2, requested: int = 2, **more: Any) -> tuple[str, dict[str, Any]]:
    return "done", {"ok": True, "requested": requested, "returned": returned, "elapsed": "3.1", **more}


@pytest.fixture
def two(stub: Any, told: Callable[..., None], picture: Picture) -> Any:
    """A server that tells of two pictures."""
    told(ROUTE, b": ping\n\n", PHASE, ("image", picture(0)), b": ping\n\n", ("image", picture(1)), done())
    return stub


def test_the_request_and_the_lines_of_its_story(ima2: Any, two: Any, pixel: Callable[[int], bytes]) -> None:
    answer = ima2("multimode", "two", "cats", "--max-images", "2", "-d", "./mm")
    assert answer.code == 0
    (asked,) = two.asked(ROUTE)
    body = asked.body
    assert asked.headers["accept"] == "text/event-stream"
    assert asked.headers["x-request-id"] == body["requestId"]
    assert re.fullmatch(r"req_cli_multimode_[0-9a-z]+_[0-9a-z]{6}", body["requestId"])
    assert body == {
        "prompt": "two cats",
        "quality": "low",
        "size": "1024x1024",
        "maxImages": 2,
        "mode": "auto",
        "references": [],
        "moderation": "low",
        "requestId": body["requestId"],
        "queue": True,
    }
    phase, first, second, one, other, elapsed, last = answer.out.splitlines()
    assert phase.startswith("streaming")
    assert (first, second) == ("✓ image 1", "✓ image 2")
    assert [Path(line.removeprefix("✓ ")).read_bytes() for line in (one, other)] == [pixel(0), pixel(1)]
    assert elapsed == "elapsed 3.1s"
    assert last == "done: 2/2"
    assert answer.err == ""


def test_json_is_one_document(ima2: Any, two: Any) -> None:
    answer = ima2("multimode", "x", "--max-images", "2", "-d", "mm", "--json")
    paths = sorted(str(path) for path in Path("mm").iterdir())
    request_id = two.asked(ROUTE)[0].body["requestId"]
    assert answer.json == {"ok": True, "requestId": request_id, "returned": 2, "paths": paths}


def test_the_first_goes_to_its_file_and_the_others_to_the_folder(
    ima2: Any, two: Any, pixel: Callable[[int], bytes]
) -> None:
    answer = ima2("multimode", "x", "-o", "a.png", "-d", "mm")
    assert Path("a.png").read_bytes() == pixel(0)
    (other,) = Path("mm").iterdir()
    assert other.read_bytes() == pixel(1)
    assert "a.png holds the first picture" in answer.err


def test_previews_are_told_only_where_asked_for(ima2: Any, told: Any, stub: Any, picture: Picture) -> None:
    told(ROUTE, PHASE, ("partial", {"image": "abcd", "index": 1}), ("image", picture(0)), done(1))
    assert "preview" not in ima2("multimode", "x", "-o", "a.png").out
    assert "preview 1: 4 characters" in ima2("multimode", "x", "-o", "a.png", "--show-partial").out
    assert [one.body.get("partials") for one in stub.asked(ROUTE)] == [None, 2]


@pytest.mark.parametrize(
    ("data", "code", "exit_code"),
    [
        ({"error": "refused", "code": "SAFETY_REFUSAL", "status": 422}, "SAFETY_REFUSAL", 7),
        ({"error": "busy", "code": "TOO_MANY_JOBS", "status": 429}, "TOO_MANY_JOBS", 5),
        ({"error": {"code": "OAUTH_UNAVAILABLE", "message": "sign in"}}, "OAUTH_UNAVAILABLE", 4),
        ({"error": "lost", "code": "NETWORK_FAILED"}, "NETWORK_FAILED", 6),
        ({"error": "no", "code": "UNKNOWN_PROVIDER", "status": 400}, "UNKNOWN_PROVIDER", 5),
        ({}, "JOB_FAILED", 1),
    ],
)
def test_an_error_event_ends_as_its_code_says_and_what_came_is_kept(
    ima2: Any, told: Any, picture: Picture, data: dict[str, Any], code: str, exit_code: int
) -> None:
    told(ROUTE, PHASE, ("image", picture(0)), ("error", data))
    answer = ima2("multimode", "x", "-d", "mm", "--json")
    assert answer.code == exit_code
    assert (answer.json["ok"], answer.json["code"]) == (False, code)
    (path,) = Path("mm").iterdir()
    assert answer.json["paths"] == [str(path)]
    assert "[object" not in answer.err


def test_a_failure_has_a_hint_where_there_is_one(ima2: Any, told: Any) -> None:
    told(ROUTE, ("error", {"error": "nobody is called so", "code": "UNKNOWN_PROVIDER", "status": 400}))
    assert "Hint: choose another --provider" in ima2("multimode", "x").err


def test_a_stream_without_a_last_word_is_a_failure_that_keeps_what_came(
    ima2: Any, told: Any, picture: Picture, pixel: Callable[[int], bytes]
) -> None:
    told(ROUTE, PHASE, ("image", picture(3)))
    answer = ima2("multimode", "x", "-d", "mm")
    assert answer.code == 6
    assert "STREAM_INCOMPLETE" in answer.err
    (path,) = Path("mm").iterdir()
    assert path.read_bytes() == pixel(3)
    assert f"✓ {path}" in answer.out


def test_a_frame_that_is_not_finished_does_not_count(ima2: Any, told: Any) -> None:
    told(ROUTE, PHASE, b'event: done\ndata: {"ok":true}\n')
    assert ima2("multimode", "x").code == 6


def test_a_done_without_pictures_is_a_failure(ima2: Any, told: Any) -> None:
    told(ROUTE, PHASE, done(0))
    answer = ima2("multimode", "x", "--json")
    assert (answer.code, answer.json["code"]) == (1, "NO_IMAGE")


def test_a_sequence_that_was_cut_short_says_so(ima2: Any, told: Any, picture: Picture) -> None:
    warning = {"code": "RESPONSES_IMAGE_TIMEOUT", "message": "too slow"}
    told(ROUTE, PHASE, ("image", picture(0)), done(1, 3, partial=True, warning=warning))
    text = ima2("multimode", "x", "-d", "mm")
    assert text.code == 0
    assert "done: 1/3" in text.out
    assert "RESPONSES_IMAGE_TIMEOUT: too slow" in text.err
    answer = ima2("multimode", "x", "-d", "mm", "--json").json
    assert (answer["returned"], answer["partial"], answer["warning"]) == (1, True, warning)


def test_a_refusal_over_http_is_understood(ima2: Any, stub: Any) -> None:
    stub.on(ROUTE, {"error": {"code": "BUSY", "message": "too much"}}, 429)
    answer = ima2("multimode", "x", "--json")
    assert (answer.code, answer.json["code"], answer.json["error"]) == (5, "BUSY", "too much")


def test_a_broken_stream_is_collected_from_the_gallery(
    ima2: Any, stub: Any, told: Any, picture: Picture, pixel: Callable[[int], bytes]
) -> None:
    told(ROUTE, PHASE, ("image", picture(0)), None)
    meta = {"filenames": ["m0.png", "m1.png"]}

    def inflight(_: Any) -> Any:
        row = {"requestId": stub.asked(ROUTE)[0].body["requestId"], "status": "completed", "meta": meta}
        return 200, {"jobs": [], "terminalJobs": [row]}

    stub.on("GET /api/inflight", inflight)
    for number in range(2):
        stub.on(f"GET /generated/m{number}.png", pixel(number))
    answer = ima2("multimode", "x", "-d", "mm", "--json")
    assert answer.code == 0
    assert (answer.json["recovered"], len(answer.json["paths"])) == (True, 2)
    assert len(stub.asked(ROUTE)) == 1


def test_heartbeats_do_not_extend_the_time_limit(ima2: Any, stub: Any, picture: Picture) -> None:
    def beats() -> Any:
        yield b"event: image\ndata: " + json.dumps(picture(0)).encode() + b"\n\n"
        while not stub.closing.wait(0.1):
            yield b": ping\n\n"

    stub.on(ROUTE, lambda _: (200, beats()))
    stub.on("GET /api/inflight", lambda _: (200, {"jobs": [{"requestId": stub.asked(ROUTE)[0].body["requestId"]}]}))
    began = time.monotonic()
    answer = ima2("multimode", "x", "--timeout", "1", "-d", "mm", "--json")
    assert time.monotonic() - began < 8
    assert (answer.code, answer.json["code"]) == (8, "CLIENT_TIMEOUT")
    assert len(answer.json["paths"]) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_the_job_keeps_what_came_and_ends_with_130(stub: Any, picture: Picture, number: int) -> None:
    def slow() -> Any:
        yield b"event: image\ndata: " + json.dumps(picture(0)).encode() + b"\n\n"
        stub.closing.wait(30)

    stub.on(ROUTE, lambda _: (200, slow()))
    command = [str(Path(sys.executable).with_name("ima2")), "multimode", "x", "-d", "mm"]
    process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "✓ image 1\n"
        request_id = stub.asked(ROUTE)[0].body["requestId"]
        stub.on(f"DELETE /api/inflight/{request_id}", {"active": True, "aborted": True})
        process.send_signal(number)
        _, err = process.communicate(timeout=10)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 130
    assert len(stub.asked(f"DELETE /api/inflight/{request_id}")) == 1
    assert "cancelled on the server" in err
    assert len(list(Path("mm").iterdir())) == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "prompt"),
        (("x", "--max-images", "9"), "1<=x<=8"),
        (("x", "-n", "2"), "-n"),
        (("x", *("--ref", "r.png") * 6), "5 reference pictures"),
        (("x", "-o", "-"), "--max-images 1"),
        (("x", "--timeout", "0"), "timeout"),
    ],
)
def test_a_mistake_in_the_command_line_ends_with_2_and_asks_nobody(
    ima2: Any, stub: Any, args: tuple[str, ...], said: str
) -> None:
    Path("r.png").write_bytes(b"x")
    answer = ima2("multimode", *args)
    assert answer.code == 2
    assert said in answer.err.lower()
    assert stub.requests == []


def test_the_help_holds_what_scripts_look_for(ima2: Any) -> None:
    help_text = ima2("multimode", "--help").out
    tokens = ("ima2 multimode", "--provider", "--mode", "--ref")
    assert [token for token in tokens if token not in help_text] == []


def test_a_stream_is_cut_into_the_same_events_however_its_bytes_come() -> None:
    wire = (
        ': ping\r\n\r\nevent: image\r\ndata: {"a":"é\u2028"}\r\nid: 7\r\n\r\n'
        "data: one\ndata: two\n\nevent:done\ndata:{}\n\n"
    ).encode()
    expected = [("image", {"a": "é\u2028"}), ("message", "one\ntwo"), ("done", {})]
    for size in (1, 2, 7, len(wire)):
        frames = EventReader()
        heard = [one for at in range(0, len(wire), size) for one in frames.feed(wire[at : at + size])]
        assert [(one.name, one.data) for one in heard] == expected
