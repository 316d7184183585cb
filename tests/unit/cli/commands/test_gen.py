"""What ``ima2 gen`` sends, and where the pictures go."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ima2.version import VERSION

pytestmark = pytest.mark.usefixtures("alone")

STAMP = r"ima2-\d{8}-\d{6}"


def test_four_pictures_are_one_request_and_four_files(ima2: Any, stub: Any, pixel: Callable[[int], bytes]) -> None:
    answer = ima2("gen", "a shiba", "in space", "-n", "4", "-d", "./out", "--json")
    assert answer.code == 0
    body = stub.posted
    assert {name: body[name] for name in ("prompt", "n", "quality", "size", "mode", "moderation", "references")} == {
        "prompt": "a shiba in space",
        "n": 4,
        "quality": "low",
        "size": "1024x1024",
        "mode": "auto",
        "moderation": "low",
        "references": [],
    }
    assert "async" not in body
    assert body["partials"] == 0
    assert re.fullmatch(r"req_cli_gen_[0-9a-z]+_[0-9a-z]{6}", body["requestId"])
    (asked,) = stub.asked("POST /api/generate")
    assert asked.headers["x-request-id"] == body["requestId"]
    assert asked.headers["x-ima2-client"] == f"cli/{VERSION}"
    rows = answer.json["images"]
    assert answer.json["ok"] is True
    assert answer.json["requestId"] == body["requestId"]
    assert answer.json["elapsed"] == 1.5
    assert [re.fullmatch(rf"out/{STAMP}-{index}\.png", row["path"]) is not None for index, row in enumerate(rows)] == [
        True
    ] * 4
    assert [Path(row["path"]).read_bytes() for row in rows] == [pixel(index) for index in range(4)]
    assert [row["filename"] for row in rows] == [f"made_{index}.png" for index in range(4)]


def test_standard_input_follows_the_words(ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(" red fox \n"))
    answer = ima2("gen", "watercolour", "--stdin", "--no-web-search", "-o", "fox.png")
    assert answer.code == 0
    assert stub.posted["prompt"] == "watercolour red fox"
    assert stub.posted["webSearchEnabled"] is False
    lines = answer.out.splitlines()
    assert lines[0].endswith("fox.png")
    assert lines[1] == "elapsed 1.5s"
    assert Path("fox.png").exists()


def test_a_lone_dash_is_standard_input(ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a whale"))
    assert ima2("gen", "-", "-o", "w.png").code == 0
    assert stub.posted["prompt"] == "a whale"


def test_a_prompt_may_begin_with_a_dash_after_two_dashes(ima2: Any, stub: Any) -> None:
    assert ima2("gen", "-o", "w.png", "--", "-5 degrees", "--json").code == 0
    assert stub.posted["prompt"] == "-5 degrees --json"


def test_references_are_data_urls_of_their_true_type(ima2: Any, stub: Any, pixel: Callable[[int], bytes]) -> None:
    Path("a.png").write_bytes(pixel(1))
    Path("b.jpg").write_bytes(b"not really a picture")
    Path("c.png").write_bytes(b"RIFF\x00\x00\x00\x00WEBPVP8 ")
    assert (
        ima2("gen", "merge", "--ref", "a.png", "--ref", "b.jpg", "--ref", "c.png", "-q", "high", "-o", "out.png").code
        == 0
    )
    sent = stub.posted["references"]
    assert [one.partition(";")[0] for one in sent] == ["data:image/png", "data:image/jpeg", "data:image/webp"]
    assert base64.b64decode(sent[0].partition(",")[2]) == pixel(1)
    assert stub.posted["quality"] == "high"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--ref", "r.png"] * 6, "5 reference pictures"),
        (["--ref", "missing.png"], "missing.png"),
        (["-n", "2", "-o", "x.png"], "-d"),
        (["-n", "9"], "1<=x<=8"),
        (["--web-search", "--no-web-search"], "exclude each other"),
        (["--mode", "wild"], "wild"),
        (["--moderation", "none"], "none"),
        (["--reasoning-effort", "max"], "max"),
        (["--format", "gif"], "gif"),
        (["--option", "seed"], "NAME=VALUE"),
        (["--timeout", "0"], "timeout"),
        (["-o", "-", "--json"], "standard output"),
        (["--detach", "-o", "-"], "--detach"),
        (["--colour", "red"], "--colour"),
        (["-o", "folder"], "folder"),
    ],
)
def test_a_mistake_in_the_command_line_ends_with_2_and_asks_nobody(
    ima2: Any, stub: Any, args: list[str], said: str
) -> None:
    Path("r.png").write_bytes(b"x")
    Path("folder").mkdir()
    answer = ima2("gen", "x", *args)
    assert answer.code == 2
    assert said in answer.err
    assert stub.requests == []


def test_without_a_prompt_it_ends_with_2(ima2: Any, stub: Any) -> None:
    answer = ima2("gen")
    assert answer.code == 2
    assert "prompt" in answer.err.lower()
    assert stub.requests == []


def test_what_was_not_said_is_not_sent_and_what_was_said_is(ima2: Any, stub: Any) -> None:
    ima2("gen", "x", "-o", "a.png")
    optional = {
        "model",
        "provider",
        "sessionId",
        "reasoningEffort",
        "webSearchEnabled",
        "format",
        "storyboard",
        "options",
    }
    assert optional.isdisjoint(stub.posted)
    stub.requests.clear()
    ima2(
        *("gen", "x", "-o", "b.png", "--model", "m", "--provider", "p", "--session", "s", "--reasoning-effort", "low"),
        *("--web-search", "--format", "jpg", "--storyboard", "--option", "seed=42", "--option", "style=ink"),
    )
    assert {name: stub.posted[name] for name in optional} == {
        "model": "m",
        "provider": "p",
        "sessionId": "s",
        "reasoningEffort": "low",
        "webSearchEnabled": True,
        "format": "jpeg",
        "storyboard": True,
        "options": {"seed": 42, "style": "ink"},
    }


def test_the_name_after_o_says_the_format(ima2: Any, stub: Any) -> None:
    answer = ima2("gen", "x", "-o", "fox.webp")
    assert stub.posted["format"] == "webp"
    assert "fox.webp holds image/png" in answer.err


def test_the_extension_is_that_of_what_came(ima2: Any, stub: Any) -> None:
    jpeg = b"\xff\xd8\xff\xe0" + bytes(30)
    stub.on("POST /api/generate", {"image": f"data:image/png;base64,{base64.b64encode(jpeg).decode()}", "elapsed": 1})
    answer = ima2("gen", "x", "-d", "out", "--json")
    assert answer.json["images"][0]["path"].endswith(".jpeg")


def test_bare_base64_is_a_picture_too(ima2: Any, stub: Any, pixel: Callable[[int], bytes]) -> None:
    stub.on("POST /api/generate", {"image": base64.b64encode(pixel(3)).decode(), "elapsed": 1})
    assert ima2("gen", "x", "-o", "a.png").code == 0
    assert Path("a.png").read_bytes() == pixel(3)


def test_o_overwrites_its_file_and_d_never_does(ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ima2.cli.destination.file_stems", lambda count: ["same"])
    Path("a.png").write_bytes(b"old")
    assert ima2("gen", "x", "-o", "a.png").code == 0
    assert Path("a.png").read_bytes() != b"old"
    for _ in range(3):
        assert ima2("gen", "x", "-d", "out").code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["same-1.png", "same-2.png", "same.png"]


def test_a_picture_that_the_gallery_of_this_machine_has_is_not_copied(
    ima2: Any, stub: Any, home: Path, pixel: Callable[[int], bytes]
) -> None:
    (home / "generated").mkdir(parents=True)
    (home / "generated" / "made_0.png").write_bytes(pixel(0))
    answer = ima2("gen", "x", "--json")
    assert answer.json["images"] == [{"path": str(home / "generated" / "made_0.png"), "filename": "made_0.png"}]
    assert len(list((home / "generated").iterdir())) == 1


def test_a_picture_of_another_machine_lands_in_the_gallery_folder_here(
    ima2: Any, stub: Any, home: Path, pixel: Callable[[int], bytes]
) -> None:
    (home / "generated").mkdir(parents=True)
    (home / "generated" / "made_0.png").write_bytes(b"something else of that name")
    answer = ima2("gen", "x", "--json")
    path = Path(answer.json["images"][0]["path"])
    assert path.parent == home / "generated"
    assert re.fullmatch(rf"{STAMP}\.png", path.name)
    assert path.read_bytes() == pixel(0)


def test_a_dash_after_o_puts_the_bytes_on_standard_output(
    home: Path, stub: Any, capsysbinary: pytest.CaptureFixture[bytes], pixel: Callable[[int], bytes]
) -> None:
    from ima2.cli import run

    assert run(["gen", "x", "-o", "-"]) == 0
    assert capsysbinary.readouterr().out == pixel(0)


def test_no_save_prints_data_urls_and_writes_nothing(ima2: Any, stub: Any, home: Path) -> None:
    answer = ima2("gen", "x", "-n", "2", "--no-save")
    lines = answer.out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("data:image/png;base64,") for line in lines)
    assert not (home / "generated").exists()
    assert ima2("gen", "x", "--no-save", "--json").json["images"][0]["image"] == lines[0]


def test_an_answer_without_a_picture_ends_with_1(ima2: Any, stub: Any) -> None:
    stub.on("POST /api/generate", {"elapsed": 1})
    answer = ima2("gen", "x", "--json")
    assert answer.code == 1
    assert (answer.json["ok"], answer.json["code"]) == (False, "NO_IMAGE")


@pytest.mark.parametrize(
    ("status", "body", "code", "exit_code"),
    [
        (422, {"error": "refused", "code": "SAFETY_REFUSAL"}, "SAFETY_REFUSAL", 7),
        (499, {"error": "Generation canceled", "code": "GENERATION_CANCELED"}, "GENERATION_CANCELED", 5),
        (401, {"error": "no key", "code": "API_KEY_REQUIRED"}, "API_KEY_REQUIRED", 5),
        (503, {"error": "sign in", "code": "OAUTH_UNAVAILABLE"}, "OAUTH_UNAVAILABLE", 4),
        (429, {"error": "busy", "code": "TOO_MANY_JOBS"}, "TOO_MANY_JOBS", 5),
        (400, {"error": {"code": "BAD", "message": "bad thing"}}, "BAD", 5),
        (502, {"error": "net", "code": "NETWORK_FAILED"}, "NETWORK_FAILED", 6),
        (500, b"<html>oops</html>", "HTTP_500", 6),
    ],
)
def test_a_refusal_keeps_its_code_in_every_shape(
    ima2: Any, stub: Any, status: int, body: Any, code: str, exit_code: int
) -> None:
    stub.on("POST /api/generate", body, status)
    answer = ima2("gen", "x", "--json")
    assert answer.code == exit_code
    assert (answer.json["ok"], answer.json["code"], answer.json["status"]) == (False, code, status)
    assert answer.json["requestId"] == stub.posted["requestId"]
    assert code in answer.err


def test_a_provider_nobody_offers_ends_with_2_before_it_is_asked_for(ima2: Any, stub: Any) -> None:
    offered = {"valid": {"providers": ["auto", "one"], "imageModels": {"supported": ["m-1"], "xSupported": ["m-2"]}}}
    stub.on("GET /api/capabilities", offered)
    refused = ima2("gen", "x", "--provider", "oen")
    assert refused.code == 2
    assert "Did you mean one?" in refused.err
    assert ima2("gen", "x", "--model", "m-3").code == 2
    assert stub.asked("POST /api/generate") == []
    assert ima2("gen", "x", "--provider", "one", "--model", "m-2", "-o", "a.png").code == 0


def test_warnings_of_the_server_are_told(ima2: Any, stub: Any, pixel: Callable[[int], bytes]) -> None:
    warning = {"code": "SIZE_FIXED", "field": "size", "normalizedTo": "512x512", "reason": "provider-has-one-size"}
    image = base64.b64encode(pixel(0)).decode()
    stub.on("POST /api/generate", {"image": image, "filename": "a.png", "elapsed": 1, "warnings": [warning]})
    assert "SIZE_FIXED size: provider-has-one-size; used 512x512" in ima2("gen", "x", "-o", "a.png").err
    assert ima2("gen", "x", "-o", "a.png", "--json").json["warnings"] == [warning]


def test_a_detached_job_is_handed_over_and_named(ima2: Any, stub: Any) -> None:
    stub.on("POST /api/generate", lambda asked: (202, {"requestId": asked.body["requestId"], "async": True}))
    answer = ima2("gen", "x", "--detach")
    assert answer.code == 0
    assert stub.posted["async"] is True
    assert answer.out.strip() == stub.posted["requestId"]
    assert ima2("gen", "x", "--detach", "--json").json["async"] is True


def test_an_unwritable_folder_is_noticed_before_anything_is_sent(ima2: Any, stub: Any) -> None:
    Path("file").write_bytes(b"")
    answer = ima2("gen", "x", "-d", "file/below")
    assert answer.code in {1, 2}
    assert "file" in answer.err
    assert stub.requests == []


def test_the_help_holds_what_scripts_look_for(ima2: Any) -> None:
    text = ima2("gen", "--help").out
    for token in (
        *("ima2 gen", "--quality", "--model", "--provider", "--mode", "--moderation", "--session"),
        *("Batch/async note:", "Use -n <N>", "ima2 ps --json", "ima2 cancel <requestId>", "-n 4 -d ./out"),
    ):
        assert token in text
