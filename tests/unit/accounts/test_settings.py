"""Settings of every plugin, without knowing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.accounts.conftest import Open, Studio


async def rows(one: Studio) -> dict[str, dict[str, Any]]:
    _, answer = await one.call("GET", "/api/settings")
    (acme,) = [entry for entry in answer["plugins"] if entry["plugin"] == "acme"]
    return {row["name"]: row for row in acme["settings"]}


async def test_settings_are_told_with_their_rules_and_where_they_come_from(studio: Open) -> None:
    async with studio(ACME_MODE="file", ACME_KEY="ac-hush-hush") as one:
        found = await rows(one)
        assert found["warmth"] == {
            "name": "warmth",
            "title": "Warmth",
            "help": "How warm.",
            "type": "integer",
            "source": "default",
            "places": ["IMA2_PLUGINS__ACME__WARMTH", "plugins.acme.warmth"],
            "needsRestart": False,
            "min": 0,
            "max": 10,
            "value": 5,
        }
        assert (found["mode"]["source"], found["mode"]["value"]) == ("env", "file")


async def test_a_secret_is_written_and_never_read(studio: Open) -> None:
    async with studio() as one:
        assert (await rows(one))["api_key"]["configured"] is False
        status, answer = await one.call("PATCH", "/api/plugins/acme", api_key="ac-hush-hush")
        assert (status, answer["changed"]) == (200, ["acme.api_key"])
        shown = (await rows(one))["api_key"]
        assert (shown["type"], shown["configured"], shown["source"]) == ("secret", True, "config")
        assert "hush" not in json.dumps(answer) + json.dumps(shown)
        assert one.acme.settings.api_key.get_secret_value() == "ac-hush-hush"


async def test_a_change_counts_at_once_and_null_takes_it_back(studio: Open, tmp_path: Path) -> None:
    async with studio() as one:
        await one.call("PATCH", "/api/settings", acme={"warmth": 7, "mode": "x"})
        assert (one.acme.settings.warmth, one.acme.settings.mode) == (7, "x")
        await one.call("PATCH", "/api/settings", acme={"warmth": None})
        assert one.acme.settings.warmth == 5
    assert json.loads((tmp_path / "home" / "config.json").read_text()) == {"acmeMode": "x"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"acme": {"warmth": 70}}, 400, "SETTING_INVALID"),
        ({"acme": {"mode": "x", "colour": 1}}, 400, "UNKNOWN_SETTING"),
        ({"acme": 7}, 400, "UNKNOWN_SETTING"),
        ({"nobody": {}}, 404, "UNKNOWN_PLUGIN"),
        ({"acme": {"api_key": "ac-other"}}, 409, "SETTING_FROM_ENVIRONMENT"),
    ],
)
async def test_what_cannot_be_is_refused(
    change: dict[str, Any], status: int, code: str, studio: Open, tmp_path: Path
) -> None:
    async with studio(ACME_KEY="ac-env") as one:
        got, answer = await one.call("PATCH", "/api/settings", **change)
        assert (got, answer["code"]) == (status, code)
    assert not (tmp_path / "home" / "config.json").exists()
