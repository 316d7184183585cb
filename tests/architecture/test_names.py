"""The wire's names live in few places, and no room knows a provider, a feature or an upstream."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.rules import CORE

ROOMS = ("kernel", "events", "studio", "jobs", "library")
SIDECAR = "library/sidecar.py"
_CAMEL = re.compile(r"[a-z]+[A-Z][A-Za-z]*")


def literals(source: str) -> list[str]:
    """The string literals of a source, docstrings aside."""
    tree = ast.parse(source)
    words = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words
    ]


def camel_names(source: str) -> list[str]:
    """The literals that are names of the wire's form."""
    return [text for text in literals(source) if _CAMEL.fullmatch(text)]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_that_speaks_python_holds_no_name_of_the_wire(room: str) -> None:
    files = [path for path in (CORE / "ima2" / room).rglob("*.py") if not str(path).endswith(SIDECAR)]
    found = {path.name: names for path in files if (names := camel_names(path.read_text()))}
    assert files
    assert found == {}


def test_a_planted_name_is_found_but_not_in_a_docstring() -> None:
    assert camel_names('x = {"createdAt": 1}') == ["createdAt"]
    assert camel_names('"""createdAt"""\ny = "created_at"') == []


def test_the_kernel_with_what_plugins_speak_stays_small() -> None:
    ours = CORE / "ima2"
    files: list[Path] = [*(ours / "kernel").rglob("*.py"), ours / "contracts.py", ours / "models.py"]
    assert sum(len(path.read_text().splitlines()) for path in files) <= 2500
