"""ima2 plugins, over made-up packages."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
GOOD = """
import ima2

class Echo(ima2.Provider):
    id = "echo"
    title = "Echo"

    def problem(self):
        return "No key yet."

@ima2.hookimpl
def ima2_settings():
    from pydantic import BaseModel, SecretStr

    class Model(BaseModel):
        api_key: SecretStr | None = ima2.setting(None, env="ECHO_KEY", key="echoKey", help="The key.")
        count: int = ima2.setting(3, env="ECHO_COUNT", key="echo.count", ge=1)
        loud: bool = False

    return Model

@ima2.hookimpl
def ima2_providers(ctx):
    return [Echo()]
"""
COMMAND = """
import click

@click.command()
def main():
    click.echo("from the plugin")
"""


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One package with a good and a broken plugin and a command, alone on the module path."""
    for needed in ("stevedore.named", "packaging.requirements", "ima2.cli.inspection", "ima2.server.app"):
        import_module(needed)
    site = tmp_path / "site"
    info = site / "made_up-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 1.2\nRequires-Dist: ima2>=3,<4\n")
    points = (
        "[ima2.plugins]\necho = made_up_echo\nbroken = made_up_broken\n\n[ima2.commands]\necho = made_up_command:main\n"
    )
    (info / "entry_points.txt").write_text(points)
    (site / "made_up_echo.py").write_text(GOOD)
    (site / "made_up_broken.py").write_text("raise RuntimeError('cannot work here')")
    (site / "made_up_command.py").write_text(COMMAND)
    others = [entry for entry in sys.path if "site-packages" not in entry]
    monkeypatch.setattr(sys, "path", [str(site), *others])
    for name in ("made_up_echo", "made_up_command"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return site


def test_the_list_imports_nothing(ima2: Run) -> None:
    answer = ima2("plugins", "list")
    assert answer.code == 0
    assert [line.split() for line in answer.out.splitlines()[2:]] == [
        ["broken", "found", "made-up", "1.2", "3"],
        ["echo", "found", "made-up", "1.2", "3"],
    ]
    assert "made_up_echo" not in sys.modules


def test_checking_says_what_is_offered_what_is_missing_and_what_failed(ima2: Run) -> None:
    broken, echo = ima2("plugins", "list", "--check", "--json").json["plugins"]
    assert (broken["state"], broken["error"]) == ("failed", "RuntimeError: cannot work here")
    assert (echo["state"], echo["offers"], echo["problem"]) == ("ready", ["provider:echo"], "No key yet.")


def test_check_ends_with_1_when_a_plugin_failed_and_0_when_all_work(ima2: Run) -> None:
    assert ima2("plugins", "check").code == 1
    ima2("plugins", "disable", "broken")
    assert ima2("plugins", "check").code == 0


def test_the_list_remembers_what_failed_last(ima2: Run) -> None:
    ima2("plugins", "check")
    assert "last start: import: RuntimeError: cannot work here" in ima2("plugins", "list").out


def test_switching_off_takes_effect_at_the_next_start_and_never_imports(ima2: Run, home: Path) -> None:
    answer = ima2("plugins", "disable", "broken")
    assert answer.code == 0
    assert "next start" in answer.out
    assert json.loads((home / "config.json").read_text()) == {"plugins": {"disabled": ["broken"]}}
    assert ima2("plugins", "list", "--json").json["plugins"][0]["state"] == "off"
    assert ima2("plugins", "enable", "broken", "--json").json == {
        "ok": True,
        "name": "broken",
        "state": "on",
        "changed": True,
    }
    assert ima2("plugins", "list", "--json").json["plugins"][0]["state"] == "found"


@pytest.mark.parametrize("command", ["enable", "disable", "show"])
def test_an_unknown_plugin_is_a_usage_error_with_close_matches(ima2: Run, command: str) -> None:
    answer = ima2("plugins", command, "ecko")
    assert answer.code == 2
    assert "Did you mean echo?" in answer.err


def test_a_plugin_that_is_gone_can_still_be_taken_off_the_list(ima2: Run, home: Path) -> None:
    home.mkdir()
    (home / "config.json").write_text('{"plugins": {"disabled": ["gone"]}}')
    assert ima2("plugins", "enable", "gone").code == 0
    assert json.loads((home / "config.json").read_text()) == {}


def test_a_required_plugin_cannot_be_switched_off(ima2: Run, home: Path) -> None:
    home.mkdir()
    (home / "config.json").write_text('{"plugins": {"required": ["echo"]}}')
    assert ima2("plugins", "disable", "echo").code == 2


def test_showing_one_tells_its_settings_without_secrets(ima2: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_KEY", "sk-hidden")
    answer = ima2("plugins", "show", "echo", "--json")
    assert "sk-hidden" not in answer.out
    settings = {row["name"]: row for row in answer.json["settings"]}
    assert settings["api_key"] == {
        "name": "api_key",
        "value": "<redacted>",
        "env": ["IMA2_PLUGINS__ECHO__API_KEY", "ECHO_KEY"],
        "keys": ["plugins.echo.api_key", "echoKey"],
        "help": "The key.",
    }
    assert settings["count"]["value"] == 3
    assert answer.json["hooks"] == ["ima2_settings", "ima2_providers"]
    text = ima2("plugins", "show", "echo")
    assert "ECHO_COUNT" in text.out
    assert "sk-hidden" not in text.out


def test_showing_an_off_plugin_does_not_import_it(ima2: Run) -> None:
    ima2("plugins", "disable", "echo")
    assert ima2("plugins", "show", "echo", "--json").json["state"] == "off"
    assert "made_up_echo" not in sys.modules


def test_the_environment_decides_over_the_file_and_says_so(ima2: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMA2_PLUGINS", "echo")
    assert [row["state"] for row in ima2("plugins", "list", "--json").json["plugins"]] == ["off", "found"]
    assert "IMA2_PLUGINS is set" in ima2("plugins", "disable", "echo").err


def test_the_main_option_names_the_plugins_of_one_run(ima2: Run) -> None:
    rows = ima2("--plugins", "broken", "plugins", "list", "--json").json["plugins"]
    assert [row["state"] for row in rows] == ["found", "off"]


def test_a_plugins_command_is_listed_without_import_and_runs(ima2: Run) -> None:
    assert "echo <sub>" in ima2("--help").out
    assert "made_up_command" not in sys.modules
    assert ima2("echo").out == "from the plugin\n"


def test_the_command_of_an_off_plugin_says_how_to_switch_it_on(ima2: Run) -> None:
    ima2("plugins", "disable", "echo")
    assert "echo <sub>" not in ima2("--help").out
    assert "switched off: `ima2 plugins enable echo`" in ima2("echo").out


def test_a_broken_plugin_command_is_one_line(ima2: Run, site: Path) -> None:
    (site / "made_up_command.py").write_text("raise SystemExit('no')")
    answer = ima2("echo")
    assert answer.code == 1
    assert "Command echo of made-up: SystemExit: no (PLUGIN_FAILED)" in answer.err


def test_a_malformed_config_hides_neither_help_nor_its_own_place(ima2: Run, home: Path) -> None:
    home.mkdir()
    (home / "config.json").write_text("{broken")
    assert ima2("--help").code == 0
    answer = ima2("plugins", "list")
    assert answer.code == 1
    assert str(home / "config.json") in answer.err


def test_plugin_keys_can_be_written_and_are_checked(ima2: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ima2("config", "set", "plugins.echo.count", "5").code == 0
    assert ima2("config", "set", "echo.count", "6").code == 0
    assert ima2("config", "set", "plugins.echo.loud", "yes").code == 0
    stored = {"plugins": {"echo": {"count": 5, "loud": True}}, "echo": {"count": 6}}
    assert json.loads((home / "config.json").read_text()) == stored
    assert ima2("config", "get", "plugins.echo.count", "--json").json["value"] == 5
    assert ima2("config", "set", "plugins.echo.count", "0").code == 2
    assert ima2("config", "set", "plugins.echo.loud", "perhaps").code == 2
    assert "Did you mean" in ima2("config", "set", "plugins.echo.cuont", "1").err
    monkeypatch.setenv("ECHO_COUNT", "9")
    assert "ECHO_COUNT is set" in ima2("config", "set", "echo.count", "7").err
    keys = {row["key"]: row["env"] for row in ima2("config", "keys", "--json").json["keys"]}
    assert keys["echo.count"] == "ECHO_COUNT"
    assert keys["plugins.echo.api_key"] == "IMA2_PLUGINS__ECHO__API_KEY"
    assert "echoKey" not in keys


def test_a_command_of_a_plugin_that_crashes_is_one_sentence(ima2: Run, site: Path) -> None:
    crash = COMMAND.replace('click.echo("from the plugin")', 'raise KeyError("a secret prompt")')
    (site / "made_up_command.py").write_text(crash)
    answer = ima2("echo")
    assert answer.code != 0
    assert "KeyError at made_up_command.py:6 in main" in answer.err
    assert "secret" not in answer.err + answer.out
    assert len(answer.err.strip().splitlines()) == 1


def test_a_plugins_secret_is_never_taken_from_the_command_line(
    ima2: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    assert ima2("config", "set", "plugins.echo.api_key", "sk-hidden").code == 2
    assert ima2("config", "set", "echoKey", "sk-hidden").code == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("sk-hidden\n"))
    answer = ima2("config", "set", "plugins.echo.api_key", "-")
    assert answer.code == 0
    assert "sk-hidden" not in answer.out
    assert json.loads((home / "config.json").read_text()) == {"plugins": {"echo": {"api_key": "sk-hidden"}}}
    for args in (("ls",), ("ls", "--effective"), ("get", "plugins"), ("get", "plugins.echo.api_key")):
        assert "sk-hidden" not in ima2("config", *args).out
    assert ima2("config", "rm", "plugins.echo.api_key", "-y").code == 0
