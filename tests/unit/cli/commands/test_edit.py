"""What ``ima2 edit`` sends, and where the picture goes."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")

ROUTE = "POST /api/edit"


@pytest.fixture
def edits(stub: Any, picture: Callable[[int], dict[str, Any]], pixel: Callable[[int], bytes]) -> Any:
    """A server that edits, and a picture to edit."""
    stub.on(ROUTE, {**picture(5), "elapsed": 2.5})
    Path("in.png").write_bytes(pixel(1))
    return stub


def test_the_picture_goes_as_bare_base64_and_the_result_to_its_file(
    ima2: Any, edits: Any, pixel: Callable[[int], bytes]
) -> None:
    answer = ima2("edit", "in.png", "-p", "make it rainy", "--json", "-o", "wet.png")
    assert answer.code == 0
    (asked,) = edits.asked(ROUTE)
    body = asked.body
    assert re.fullmatch(r"req_cli_edit_[0-9a-z]+_[0-9a-z]{6}", body["requestId"])
    assert asked.headers["x-request-id"] == body["requestId"]
    assert base64.b64decode(body.pop("image"), validate=True) == pixel(1)
    assert body == {
        "prompt": "make it rainy",
        "quality": "low",
        "size": "1024x1024",
        "mode": "auto",
        "moderation": "low",
        "requestId": body["requestId"],
        "queue": True,
    }
    assert answer.json == {"ok": True, "path": "wet.png", "requestId": body["requestId"], "elapsed": 2.5}
    assert Path("wet.png").read_bytes() == pixel(5)


def test_a_mask_goes_along(ima2: Any, edits: Any, pixel: Callable[[int], bytes]) -> None:
    Path("mask.png").write_bytes(pixel(9))
    assert ima2("edit", "in.png", "-p", "x", "--mask", "mask.png", "-o", "a.png").code == 0
    assert base64.b64decode(edits.asked(ROUTE)[0].body["mask"]) == pixel(9)


def test_text_output_is_a_tick_and_the_time(ima2: Any, edits: Any) -> None:
    answer = ima2("edit", "in.png", "--prompt", "x", "-o", "a.png")
    assert answer.out.splitlines() == ["✓ a.png", "elapsed 2.5s"]


def test_a_dash_reads_the_picture_from_standard_input(
    ima2: Any, edits: Any, monkeypatch: pytest.MonkeyPatch, pixel: Callable[[int], bytes]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pixel(3))))
    assert ima2("edit", "-", "-p", "x", "-o", "a.png").code == 0
    assert base64.b64decode(edits.asked(ROUTE)[0].body["image"]) == pixel(3)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("in.png", "make it rainy"), "--prompt"),
        (("in.png", "-p", " "), "prompt"),
        (("in.png", "more", "-p", "x"), "more"),
        (("gone.png", "-p", "x"), "gone.png"),
        (("empty.png", "-p", "x"), "empty"),
        (("in.png", "-p", "x", "--mask", "gone.png"), "--mask"),
        (("in.png", "-p", "x", "--web-search", "--no-web-search"), "exclude"),
        (("in.png", "-p", "x", "-o", "-", "--json"), "standard output"),
    ],
)
def test_a_mistake_in_the_command_line_ends_with_2_and_asks_nobody(
    ima2: Any, edits: Any, args: tuple[str, ...], said: str
) -> None:
    Path("empty.png").touch()
    answer = ima2("edit", *args)
    assert answer.code == 2
    assert said in answer.err
    assert edits.requests == []


def test_a_model_that_nobody_offers_is_refused_before_anything_is_paid_for(ima2: Any, edits: Any) -> None:
    valid = {"imageModels": {"supported": ["one", "two"]}, "providers": ["auto", "p"]}
    edits.on("GET /api/capabilities", {"valid": valid})
    answer = ima2("edit", "in.png", "-p", "x", "--model", "too")
    assert answer.code == 2
    assert "one, two" in answer.err
    assert edits.asked(ROUTE) == []


def test_a_refusal_names_the_request_and_leaves_out_a_status_there_is_none_of(ima2: Any, edits: Any) -> None:
    edits.on(ROUTE, {"error": "refused", "code": "MODERATION_REFUSED"}, 422)
    answer = ima2("edit", "in.png", "-p", "x", "--json")
    assert (answer.code, answer.json["code"], answer.json["status"]) == (7, "MODERATION_REFUSED", 422)
    assert answer.json["requestId"] == edits.asked(ROUTE)[0].body["requestId"]
    unreachable = ima2("edit", "in.png", "-p", "x", "--json", "--server", "http://127.0.0.1:1")
    assert unreachable.code == 3
    assert "status" not in unreachable.json
    assert "ima2 serve" in unreachable.err


def test_an_answer_that_got_lost_is_collected(ima2: Any, edits: Any, pixel: Callable[[int], bytes]) -> None:
    edits.on(ROUTE, lambda _: (200, None))
    row = {"status": "completed", "meta": {"filename": "m.png"}}
    edits.on(
        "GET /api/inflight",
        lambda _: (200, {"terminalJobs": [{**row, "requestId": edits.asked(ROUTE)[0].body["requestId"]}]}),
    )
    edits.on("GET /generated/m.png", pixel(4))
    answer = ima2("edit", "in.png", "-p", "x", "-o", "a.png", "--json")
    asked = edits.asked(ROUTE)
    assert len(asked) == 1
    assert answer.json == {"ok": True, "requestId": asked[0].body["requestId"], "recovered": True, "path": "a.png"}
    assert Path("a.png").read_bytes() == pixel(4)


def test_the_help_holds_what_scripts_look_for(ima2: Any) -> None:
    help_text = ima2("edit", "--help").out
    flags = ("ima2 edit", "--quality", "--model", "--provider", "--mode", "--moderation", "--session")
    assert [flag for flag in flags if flag not in help_text] == []
    assert "--mask" not in help_text
