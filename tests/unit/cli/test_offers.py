"""What help texts name of the plugins here, and that looking once is enough."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ima2.cli.offers import list_offers

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each time that the plugins are asked."""
    from ima2.cli import inspection

    seen: list[None] = []
    ask = inspection.inspect_here

    def count() -> Any:
        seen.append(None)
        return ask()

    monkeypatch.setattr(inspection, "inspect_here", count)
    return seen


def test_the_help_names_the_providers_and_asks_the_plugins_once(
    ima2: Any, looks: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMA2_PLUGINS", "demo,local_storage")
    assert "auto|demo" in ima2("gen", "--help").out
    assert "auto|demo" in ima2("edit", "--help").out
    assert len(looks) == 1


def test_other_switches_or_settings_are_looked_at_anew(
    home: Path, looks: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list_offers().providers == ()
    monkeypatch.setenv("IMA2_PLUGINS", "demo")
    assert list_offers().providers == ("demo",)
    (home / "config.json").write_text('{"log": {"level": "warn"}}')
    assert list_offers().providers == ("demo",)
    assert len(looks) == 3


@pytest.mark.parametrize("stored", ["", "[]", '{"key": 1}', "\x00"])
def test_a_memory_that_cannot_be_used_is_written_anew(home: Path, looks: list[None], stored: str) -> None:
    (home / "state").mkdir(parents=True)
    (home / "state" / "offers.json").write_text(stored)
    list_offers()
    list_offers()
    assert len(looks) == 1
    assert set(json.loads((home / "state" / "offers.json").read_text())) == {"key", "providers", "video_models"}


def test_a_folder_that_cannot_be_written_to_costs_time_and_nothing_else(home: Path, looks: list[None]) -> None:
    home.mkdir(parents=True)
    (home / "state").write_text("a file where the folder should be")
    list_offers()
    list_offers()
    assert len(looks) == 2
