"""``--quiet``: files alone on standard output."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")


@pytest.mark.parametrize("more", [(), ("-n", "2")])
def test_only_the_files_are_named(ima2: Any, stub: Any, more: tuple[str, ...]) -> None:
    answer = ima2("gen", "x", "-d", "out", "--quiet", *more)
    assert answer.err == ""
    assert all(line.startswith("out/ima2-") for line in answer.out.splitlines())
    assert len(answer.out.splitlines()) == (2 if more else 1)


def test_a_sequence_and_a_node_say_no_more(ima2: Any, stub: Any, told: Any, picture: Any) -> None:
    told(
        "POST /api/generate/multimode",
        ("phase", {"phase": "streaming"}),
        ("image", picture(1)),
        ("done", {"returned": 1, "requested": 1, "elapsed": 2}),
    )
    assert len(ima2("multimode", "x", "-d", "out", "--quiet").out.splitlines()) == 1
    told("POST /api/node/generate", ("phase", {"phase": "streaming"}), ("done", {**picture(1), "nodeId": "n_1"}))
    assert ima2("node", "generate", "x", "-o", "a.png", "--quiet").out == "a.png\n"


def test_warnings_and_failures_are_told_all_the_same(ima2: Any, stub: Any, picture: Any) -> None:
    stub.on("POST /api/generate", {**picture(1), "warnings": [{"code": "NOTE", "message": "smaller"}]})
    answer = ima2("gen", "x", "-o", "a.png", "--quiet")
    assert (answer.out, answer.err) == ("a.png\n", "Warning: NOTE: smaller\n")
    stub.on("POST /api/generate", {"error": "no", "code": "SAFETY_REFUSAL"}, 422)
    assert "no (SAFETY_REFUSAL)" in ima2("gen", "x", "--quiet").err


def test_a_job_in_line_shows_its_place(ima2: Any, stub: Any) -> None:
    jobs = [
        {"requestId": "a", "kind": "classic", "phase": "queued", "place": 2},
        {"requestId": "b", "kind": "video", "phase": "rendering", "progress": 0.4},
    ]
    stub.on("GET /api/inflight", {"jobs": jobs})
    lines = ima2("ps").out.splitlines()
    assert "in line, 2" in lines[3]
    assert "rendering 40%" in lines[4]
