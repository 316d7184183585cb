"""``ima2 defaults``, ``open`` and ``reset``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture(autouse=True)
def painters(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two providers that share their models."""
    monkeypatch.setenv("IMA2_PLUGINS", "oauth,openai_api,local_storage")


def stored(home: Path) -> Any:
    return json.loads((home / "config.json").read_text())


def test_a_default_model_is_stored_for_every_provider_that_has_it(ima2: Any, home: Path) -> None:
    answer = ima2("defaults", "set", "model", "gpt-5.4", "--json")
    assert answer.json["keys"] == ["imageModels.default", "apiProvider.defaultImageModel"]
    assert stored(home)["imageModels"] == {"default": "gpt-5.4"}
    shown = ima2("defaults", "ls", "--local", "--json").json["defaults"]
    assert {name: one["model"] for name, one in shown.items()} == {"oauth": "gpt-5.4", "api": "gpt-5.4"}
    assert ima2("defaults", "reset", "model").code == 0
    assert "imageModels" not in stored(home)
    assert "no default model is stored" in ima2("defaults", "reset", "model").out


def test_an_effort_is_stored_and_a_variable_that_beats_it_is_told(
    ima2: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMA2_REASONING_EFFORT", "high")
    answer = ima2("defaults", "set", "reasoning", "low")
    assert "IMA2_REASONING_EFFORT is set" in answer.err
    assert stored(home)["apiProvider"] == {"defaultReasoningEffort": "low"}


@pytest.mark.parametrize(("name", "value"), [("model", "gpt-5.44"), ("reasoning", "max"), ("colour", "red")])
def test_what_nobody_offers_is_not_stored(ima2: Any, home: Path, name: str, value: str) -> None:
    assert ima2("defaults", "set", name, value).code == 2
    assert not (home / "config.json").exists()


def test_bare_defaults_are_those_of_the_server_where_one_runs(ima2: Any, stub: Any) -> None:
    stub.on("GET /api/capabilities", {"defaults": {"sea": {"model": "wave"}}})
    assert ima2("defaults").out.splitlines()[0] == "sea  model wave"
    answer = ima2("defaults", "ls", "--json").json
    assert (answer["source"], answer["server"], answer["defaults"]) == ("server", stub.url, {"sea": {"model": "wave"}})


def test_reset_empties_the_file_and_asks_first(ima2: Any, home: Path) -> None:
    assert "nothing to reset" in ima2("reset", "--yes").out
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.json").write_text('{"log": {"level": "warn"}}')
    assert ima2("reset").code == 2
    assert stored(home) == {"log": {"level": "warn"}}
    assert ima2("reset", "-y").code == 0
    assert stored(home) == {}


def test_open_says_the_address_where_there_is_no_screen(ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    answer = ima2("open")
    assert (answer.code, f"{stub.url}/" in answer.err) == (0, True)
    assert ima2("open", "--json").json == {"ok": True, "url": f"{stub.url}/", "opened": False, "running": True}


def test_open_hands_the_address_to_the_browser(ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def launch(url: str) -> int:
        opened.append(url)
        return 0

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("click.launch", launch)
    assert ima2("open").code == 0
    assert opened == [f"{stub.url}/"]
