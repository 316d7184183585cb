"""A pytest plugin that writes down which functions of ours each test runs, and how long it took.

pytest -p tests.mutants.reach, with ``IMA2_REACH`` naming a folder for the notes (one file a process).
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_seen: set[CodeType] = set()
_notes: dict[str, dict[str, Any]] = {}


def _note(frame: FrameType, event: str, arg: object) -> None:
    if event == "call":
        _seen.add(frame.f_code)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Watch one test, its fixtures included."""
    _seen.clear()
    threading.setprofile(_note)
    sys.setprofile(_note)
    try:
        return (yield)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        own = sorted({f"{name} {_plain(code.co_qualname)}" for code in _seen if (name := _own(code))})
        _notes.setdefault(item.nodeid, {})["runs"] = own


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """How long it took, and whether it passed."""
    note = _notes.setdefault(report.nodeid, {})
    note["seconds"] = note.get("seconds", 0.0) + report.duration
    note["passed"] = note.get("passed", True) and report.outcome == "passed"


def pytest_sessionfinish() -> None:
    """Write the notes of this process."""
    watched = {name: note for name, note in _notes.items() if "runs" in note}
    if watched:
        (Path(os.environ["IMA2_REACH"]) / f"{os.getpid()}.json").write_text(json.dumps(watched))


def _own(code: CodeType) -> str | None:
    file = code.co_filename
    return file[len(str(ROOT)) + 1 :] if file.startswith(str(ROOT)) and "/tests/" not in file else None


def _plain(name: str) -> str:
    return name.replace(".<locals>", "")
