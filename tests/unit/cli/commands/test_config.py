"""ima2 config."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("IMA2_PLUGINS", "")
    home.mkdir()


def stored(home: Path) -> Any:
    return json.loads((home / "config.json").read_text())


def test_the_path_is_printed(ima2: Run, home: Path) -> None:
    assert ima2("config", "path").out == f"{home / 'config.json'}\n"
    assert ima2("config", "path", "--json").json == {"path": str(home / "config.json")}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("server.port", "4000", 4000),
        ("server.host", "0.0.0.0", "0.0.0.0"),
        ("server.host", "5", "5"),
        ("server.bodyLimit", "10mb", "10mb"),
        ("log.level", "debug", "debug"),
        ("storage.generatedDir", "~/pictures", "~/pictures"),
        ("history.maxPageCap", "7", 7),
        ("server.allowedHosts", '["a"]', ["a"]),
    ],
)
def test_a_value_is_stored_as_json_or_as_text(ima2: Run, home: Path, key: str, text: str, value: Any) -> None:
    answer = ima2("config", "set", key, text)
    assert answer.code == 0
    assert "next start" in answer.out
    section, name = key.split(".")
    assert stored(home) == {section: {name: value}}
    assert (home / "config.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("log.level", "nonsense"),
        ("server.port", "text"),
        ("server.port", "70000"),
        ("limits.maxJobs", "0"),
        ("storage.generatedDirName", "a/b"),
        ("server.port", ""),
    ],
)
def test_a_value_that_would_not_be_understood_is_refused(ima2: Run, home: Path, key: str, text: str) -> None:
    answer = ima2("config", "set", key, text)
    assert answer.code == 2
    assert key in answer.err
    assert not (home / "config.json").exists()


def test_an_unknown_key_is_refused_with_close_matches(ima2: Run) -> None:
    answer = ima2("config", "set", "server.prot", "1")
    assert answer.code == 2
    assert "Did you mean server.port" in answer.err


@pytest.mark.parametrize("key", ["provider", "apiKey"])
@pytest.mark.parametrize("command", ["set", "rm"])
def test_sign_in_keys_point_to_signing_in(ima2: Run, home: Path, key: str, command: str) -> None:
    (home / "config.json").write_text('{"provider": "x", "apiKey": "sk-hidden"}')
    answer = ima2("config", command, key, *(["value"] if command == "set" else ["-y"]))
    assert answer.code == 2
    assert "setup" in answer.err
    assert "login" in answer.err
    assert stored(home) == {"provider": "x", "apiKey": "sk-hidden"}


def test_removing_does_not_reach_keys_and_tokens_by_another_name(ima2: Run, home: Path) -> None:
    document = {"xaiApiKey": "sk-hidden", "oauth": {"token": "t"}}
    (home / "config.json").write_text(json.dumps(document))
    for key in ("xaiApiKey", "oauth", "oauth.token"):
        assert ima2("config", "rm", key, "-y").code == 2
    assert stored(home) == document


def test_the_file_and_its_parts_are_shown_without_secrets(ima2: Run, home: Path) -> None:
    document = {"provider": "x", "xaiApiKey": "sk-hidden", "oauth": {"token": "sk-hidden", "proxyPort": 1}}
    (home / "config.json").write_text(json.dumps(document))
    assert ima2("config", "ls", "--json").json["oauth"] == {"token": "<redacted>", "proxyPort": 1}
    for args in (("ls",), ("ls", "--effective"), ("get", "oauth"), ("get", "xaiApiKey"), ("get", "oauth.token")):
        answer = ima2("config", *args)
        assert answer.code == 0
        assert "sk-hidden" not in answer.out
        assert "<redacted>" in answer.out
    assert ima2("config", "get", "provider").out == "<redacted>\n"


def test_what_is_in_force_counts_environment_file_and_defaults(
    ima2: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config.json").write_text('{"server": {"port": 4000, "host": "h"}, "own": {"x": 1}}')
    monkeypatch.setenv("IMA2_PORT", "5000")
    assert ima2("config", "get", "server.port", "--json").json == {"key": "server.port", "value": 5000}
    effective = ima2("config", "ls", "--effective", "--json").json
    assert (effective["server"]["port"], effective["server"]["host"]) == (5000, "h")
    assert (effective["limits"]["maxRefCount"], effective["own"]) == (5, {"x": 1})
    assert effective["storage"]["generatedDir"] == str(home / "generated")
    assert json.loads(ima2("config", "get", "own").out) == {"x": 1}


def test_a_missing_key_is_a_remark_with_exit_0(ima2: Run) -> None:
    answer = ima2("config", "get", "no.such")
    assert (answer.code, answer.out) == (0, "(not set)\n")
    assert ima2("config", "get", "no.such", "--json").json == {"key": "no.such"}


def test_an_overriding_variable_is_told_beside_the_json(ima2: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    answer = ima2("config", "set", "server.port", "2", "--json")
    assert answer.json == {"ok": True, "key": "server.port", "value": 2, "overriddenBy": "PORT"}
    assert "PORT is set" in answer.err


def test_removing_needs_a_yes_and_takes_emptied_parents_along(ima2: Run, home: Path) -> None:
    ima2("config", "set", "server.port", "2")
    assert ima2("config", "rm", "server.port").code == 2
    assert ima2("config", "rm", "server.port", "-y", "--json").json["removed"] is True
    assert stored(home) == {}
    assert ima2("config", "rm", "server.port", "-y").code == 0


@pytest.mark.parametrize(("reply", "left"), [("y\n", {}), ("YES\n", {}), ("n\n", None), ("\n", None), ("yup\n", None)])
def test_on_a_terminal_it_asks(ima2: Run, home: Path, monkeypatch: pytest.MonkeyPatch, reply: str, left: Any) -> None:
    ima2("config", "set", "server.port", "2")
    terminal = io.StringIO(reply)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    answer = ima2("config", "rm", "server.port")
    assert answer.code == 0
    assert "[y/N]" in answer.err
    assert stored(home) == ({"server": {"port": 2}} if left is None else left)


def test_the_keys_of_the_kernel_are_listed_with_their_variables(ima2: Run) -> None:
    keys = {row["key"]: row["env"] for row in ima2("config", "keys", "--json").json["keys"]}
    assert list(keys) == sorted(keys)
    wanted = {
        "history.defaultPageSize": "IMA2_HISTORY_PAGE_SIZE",
        "history.maxPageCap": "IMA2_HISTORY_MAX_PAGE",
        "limits.maxParallel": "IMA2_MAX_PARALLEL",
        "limits.maxRefCount": "IMA2_MAX_REF_COUNT",
        "log.level": "IMA2_LOG_LEVEL",
        "server.bodyLimit": "IMA2_BODY_LIMIT",
        "server.host": "IMA2_HOST",
        "server.port": "IMA2_PORT",
        "storage.generatedDir": "IMA2_GENERATED_DIR",
        "storage.generatedDirName": "IMA2_GENERATED_DIRNAME",
    }
    assert {key: keys.get(key) for key in wanted} == wanted
    assert not {"provider", "apiKey"} & set(keys)


def test_a_malformed_file_is_refused_and_left_alone(ima2: Run, home: Path) -> None:
    (home / "config.json").write_text('{"apiKey": "sk-hidden"')
    for args in (("ls",), ("get", "server.port"), ("set", "server.port", "1"), ("rm", "server.port", "-y")):
        answer = ima2("config", *args)
        assert answer.code == 1
        assert "CONFIG_INVALID" in answer.err
        assert "sk-hidden" not in answer.err + answer.out
    assert (home / "config.json").read_text() == '{"apiKey": "sk-hidden"'


def test_the_tokens_value_is_asked_for_not_given(ima2: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ima2("config", "set", "server.lanToken", "sesame").code == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("sesame\n"))
    assert "sesame" not in ima2("config", "set", "server.lanToken", "-").out
    assert stored(home) == {"server": {"lanToken": "sesame"}}


def test_a_key_inside_a_value_is_stored_and_never_printed(
    ima2: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMA2_PLUGINS", "openai_compatible")
    servers = {"lab": {"base_url": "http://127.0.0.1:9/v1", "api_key": "lab-key-0123"}}
    answer = ima2("config", "set", "plugins.openai_compatible.servers", json.dumps(servers))
    assert answer.code == 0, answer.err
    assert stored(home)["plugins"]["openai_compatible"]["servers"] == servers
    shown = [answer, *(ima2("config", *words) for words in (("ls",), ("ls", "--effective"), ("get", "plugins")))]
    assert not any("lab-key" in one.out + one.err for one in shown)
