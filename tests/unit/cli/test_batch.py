"""``ima2 gen --prompts``: many prompts at once."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")
ROUTE = "POST /api/generate"


@pytest.fixture
def refusing(stub: Any) -> Any:
    """A server that refuses one prompt, and says what the others cost."""
    then = stub.routes[ROUTE]

    def answer(asked: Any) -> Any:
        if asked.body["prompt"] == "bad":
            return 422, {"error": "no", "code": "SAFETY_REFUSAL"}
        status, body = then(asked)
        return status, {**body, "cost": 0.02}

    stub.on(ROUTE, answer)
    return stub


def test_each_line_becomes_a_file_and_one_that_fails_stops_no_other(ima2: Any, refusing: Any) -> None:
    Path("p.txt").write_text('a red fox\n# a remark\n\nbad\n{"prompt": "a boat", "size": "64x64", "out": "boat.png"}\n')
    answer = ima2("gen", "--prompts", "p.txt", "-d", "out", "-q", "high")
    assert answer.code == 7
    assert sorted(one.name for one in Path("out").iterdir()) == ["001-a-red-fox.png", "boat.png"]
    assert answer.out.splitlines()[-2:] == ["2 made, 1 failed", "cost $0.0400"]
    assert "out/002-bad.png: no (SAFETY_REFUSAL)" in answer.err
    bodies = {one.body["prompt"]: one.body for one in refusing.asked(ROUTE)}
    assert (bodies["a boat"]["size"], bodies["a red fox"]["size"]) == ("64x64", "1024x1024")
    assert {one["quality"] for one in bodies.values()} == {"high"}
    assert len({one["requestId"] for one in bodies.values()}) == 3


def test_run_again_it_makes_only_what_is_missing(ima2: Any, refusing: Any) -> None:
    Path("p.txt").write_text("one\ntwo\n")
    assert ima2("gen", "--prompts", "p.txt", "-o", "out/{n}.png").code == 0
    Path("out/1.png").unlink()
    refusing.requests.clear()
    answer = ima2("gen", "--prompts", "p.txt", "-o", "out/{n}.png", "--json").json
    assert [one.body["prompt"] for one in refusing.asked(ROUTE)] == ["one"]
    assert {name: answer[name] for name in ("ok", "made", "skipped", "failed", "cost")} == {
        "ok": True,
        "made": 1,
        "skipped": 1,
        "failed": 0,
        "cost": 0.02,
    }
    refusing.requests.clear()
    assert ima2("gen", "--prompts", "p.txt", "-o", "out/{n}.png", "--force").code == 0
    assert len(refusing.asked(ROUTE)) == 2


def test_prompts_come_from_standard_input_too(ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("여우\n".encode("utf-8-sig"))))
    assert ima2("gen", "--prompts", "-", "-d", "out").code == 0
    assert [one.name for one in Path("out").iterdir()] == ["001-여우.png"]


@pytest.mark.parametrize(
    ("text", "args", "said"),
    [
        ("one\ntwo\n", ("-o", "same.png"), "lines 1 and 2 would both become same.png"),
        ("one\n{broken\n", ("-d", "out"), "line 2 begins like JSON and is none"),
        ('{"size": "64x64"}\n', ("-d", "out"), "line 1 has no prompt"),
        ('{"prompt": "x", "sise": 1}\n', ("-d", "out"), "line 1: nothing is called sise"),
        ("one\n", ("-o", "{colour}.png"), "{colour}.png is no template"),
        ("# nothing\n", ("-d", "out"), "there is no prompt in it"),
        ("one\n", (), "wants a folder"),
        ("one\n", ("-d", "out", "-n", "2"), "takes no PROMPT"),
    ],
)
def test_mistakes_are_told_before_anything_is_made(
    ima2: Any, stub: Any, text: str, args: tuple[str, ...], said: str
) -> None:
    Path("p.txt").write_text(text)
    answer = ima2("gen", "--prompts", "p.txt", *args)
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert stub.requests == []


def test_a_prompt_leads_to_no_other_folder(ima2: Any, stub: Any, pixel: Callable[[int], bytes]) -> None:
    Path("p.txt").write_text("../../etc/passwd\n")
    assert ima2("gen", "--prompts", "p.txt", "-d", "out").code == 0
    assert Path("out/001-etc-passwd.png").read_bytes() == pixel(0)


def test_so_many_at_once_and_no_more(ima2: Any, stub: Any) -> None:
    import threading
    import time

    then, busy, most, lock = stub.routes[ROUTE], 0, 0, threading.Lock()

    def answer(asked: Any) -> Any:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.1)
        with lock:
            busy -= 1
        return then(asked)

    stub.on(ROUTE, answer)
    Path("p.txt").write_text("".join(f"prompt {n}\n" for n in range(8)))
    assert ima2("gen", "--prompts", "p.txt", "-d", "out", "--parallel", "3").code == 0
    assert 1 < most <= 3
    assert len(list(Path("out").iterdir())) == 8


def test_one_picture_takes_o_or_d_and_not_both(ima2: Any, stub: Any) -> None:
    answer = ima2("gen", "x", "-o", "a.png", "-d", "out")
    assert (answer.code, "exclude each other" in answer.err) == (2, True)
    assert stub.requests == []
