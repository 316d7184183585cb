"""Words from standard input and files."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))


@pytest.mark.parametrize(
    ("data", "more"),
    [
        ("붉은 여우".encode(), ()),
        ("붉은 여우\n".encode("utf-8-sig"), ()),
        ("붉은 여우".encode("utf-16"), ("--encoding", "utf-16")),
        ("붉은 여우".encode("cp949"), ("--encoding", "cp949")),
    ],
)
def test_standard_input_is_utf_8_or_what_is_named_without_its_mark(
    ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch, data: bytes, more: tuple[str, ...]
) -> None:
    pipe(monkeypatch, data)
    assert ima2("gen", "-", *more, "-o", "a.png").code == 0
    assert stub.posted["prompt"] == "붉은 여우"


@pytest.mark.parametrize(
    ("data", "more", "said"),
    [
        ("여우".encode("cp949"), (), "Standard input is not UTF-8 text; name its encoding with --encoding"),
        ("여우".encode("utf-16"), (), "it begins as UTF-16 does: say --encoding utf-16"),
        (b"\xff", ("--encoding", "ascii"), "Standard input is not ASCII text"),
        (b"x", ("--encoding", "klingon"), "there is no encoding klingon"),
    ],
)
def test_what_is_no_text_is_told_and_nothing_is_sent(
    ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch, data: bytes, more: tuple[str, ...], said: str
) -> None:
    pipe(monkeypatch, data)
    answer = ima2("gen", "-", *more)
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert stub.requests == []


def test_half_a_character_in_a_prompt_has_a_code_of_its_own(ima2: Any, stub: Any) -> None:
    answer = ima2("gen", "a fox \udce9", "--json")
    assert (answer.code, answer.json["code"]) == (5, "INVALID_PROMPT")
    assert stub.requests == []
