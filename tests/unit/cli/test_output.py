"""What is printed fits, and every failure has one shape."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ima2.cli import output

pytestmark = pytest.mark.usefixtures("alone")
PAGE = Path(__file__).parents[3] / "docs/cli.md"
SCHEMA = json.loads(re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[0])
KINDS = {"boolean": bool, "string": str, "integer": int, "array": list}


@pytest.mark.parametrize("wide", [40, 72, 120, 200])
@pytest.mark.parametrize("args", [["--help"], ["gen", "--help"], ["video", "--help"], ["plugins", "--help"]])
def test_help_fits_the_terminal(ima2: Any, monkeypatch: pytest.MonkeyPatch, args: list[str], wide: int) -> None:
    monkeypatch.setenv("COLUMNS", str(wide))
    lines = ima2(*args).out.splitlines()
    assert [line for line in lines if output.width(line) > wide] == []


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A terminal of so many columns."""

    def be(wide: int) -> None:
        monkeypatch.setenv("COLUMNS", str(wide))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("NO_COLOR", "1")

    return be


def test_a_table_on_a_terminal_ends_with_it_and_elsewhere_is_whole(terminal: Callable[[int], None]) -> None:
    rows = [("a" * 20, "한" * 30)]
    assert "한" * 30 in output.table(("ID", "PROMPT"), rows)
    terminal(40)
    lines = output.table(("ID", "PROMPT"), rows).split("\n")
    assert max(map(output.width, lines)) <= 40
    assert lines[2].endswith("…")
    assert "a" * 20 in lines[2]


def test_a_row_that_does_not_fit_at_all_becomes_lines_of_its_own(terminal: Callable[[int], None]) -> None:
    terminal(40)
    drawn = output.table(("ID", "KIND", "PROMPT"), [("i" * 36, "classic", "sea"), ("j" * 36, "node", "sky")])
    assert drawn.split("\n\n")[1].splitlines() == ["ID      " + "j" * 36, "KIND    node", "PROMPT  sky"]


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("NO_COLOR", "1")])
def test_a_terminal_without_colours_gets_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert output.tick("x") != "✓ x"
    monkeypatch.setenv(name, value)
    assert output.tick("x") == "✓ x"


@pytest.mark.parametrize(
    "args",
    [
        ["gen"],
        ["gen", "x", "--server", "http://127.0.0.1:1"],
        ["edit", "nothing.png", "-p", "x"],
        ["ps"],
        ["cancel", "x"],
        ["ping"],
        ["get", "x"],
        ["show", "x", "--server", "http://127.0.0.1:1"],
        ["video", "x", "--fps", "24"],
        ["config", "set", "no.such", "1"],
        ["defaults", "set", "model", "x"],
        ["plugins", "show", "x"],
    ],
)
def test_every_failure_has_the_shape_that_the_page_describes(ima2: Any, args: list[str]) -> None:
    answer = ima2(*args, "--json")
    assert answer.code != 0
    document = answer.json
    assert set(SCHEMA["required"]) <= set(document)
    assert document["ok"] is False
    for name, value in document.items():
        rule = SCHEMA["properties"].get(name, {})
        assert "type" not in rule or isinstance(value, KINDS[rule["type"]]), name


def test_it_runs_as_a_module(home: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "ima2", "--version"], capture_output=True, text=True, check=True)
    assert re.match(r"\d+\.\d+\.\d+", done.stdout)
