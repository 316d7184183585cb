"""What is told about plugins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ima2
from ima2.kernel.boot import Booted
from ima2.kernel.discovery import PluginRecord, State
from ima2.kernel.report import recall, remember, rows

Booting = Callable[..., Booted]
Make = Callable[..., Any]


class Keyless(ima2.Provider):
    id = "keyless"
    title = "Keyless"

    def problem(self) -> str | None:
        return "No key yet."


class Confused(Keyless):
    id = "confused"

    def problem(self) -> str | None:
        raise OSError("disk")


def test_a_row_says_what_is_offered_and_what_is_missing(booting: Booting, plugin: Make) -> None:
    booted = booting({"mine": plugin(ima2_providers=lambda: [Keyless(), Confused()])})
    (row,) = rows(booted.records, booted.registry)
    assert row["offers"] == ["provider:keyless", "provider:confused"]
    assert row["problem"] == "No key yet. confused.problem() failed: OSError: disk."
    assert (row["state"], row["apiVersion"]) == ("ready", ima2.API_VERSION)
    json.dumps(row)


def test_rows_are_sorted_and_leave_out_what_is_absent() -> None:
    failed = PluginRecord("b", package="p")
    failed.fail("import", ValueError("x"))
    first, second = rows([failed, PluginRecord("a", state=State.OFF)])
    assert first == {"name": "a", "state": "off", "apiVersion": ima2.API_VERSION}
    assert (second["stage"], second["error"]) == ("import", "ValueError: x")


def test_a_failure_is_remembered_until_the_version_changes_or_it_works(tmp_path: Path) -> None:
    failed = PluginRecord("a", "p", "1.0", "m")
    failed.fail("import", ValueError("x"))
    remember(tmp_path, [failed])
    assert recall(tmp_path, [PluginRecord("a", "p", "1.0", "m")]) == {"a": "import: ValueError: x"}
    assert recall(tmp_path, [PluginRecord("a", "p", "1.1", "m")]) == {}
    remember(tmp_path, [PluginRecord("a", "p", "1.0", "m", state=State.READY)])
    assert recall(tmp_path, [PluginRecord("a", "p", "1.0", "m")]) == {}


def test_nothing_to_remember_makes_no_file_and_a_broken_file_is_no_trouble(tmp_path: Path) -> None:
    remember(tmp_path, [PluginRecord("a")])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "plugins.json").write_text("[broken")
    assert recall(tmp_path, [PluginRecord("a")]) == {}
