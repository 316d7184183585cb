"""``ima2 ping``, ``status``, ``providers``, ``capabilities``, ``storage`` and ``doctor``."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ima2 import Capabilities, Model, Provider
from ima2.cli.inspection import inspect_here
from ima2.kernel.boot import Booted

pytestmark = pytest.mark.usefixtures("alone")


def rows(answer: Any) -> dict[str, str]:
    return {row["id"]: row["result"] for row in answer.json["checks"]}


def test_ping_prints_the_address_and_health(ima2: Any, stub: Any) -> None:
    answer = ima2("ping")
    assert answer.code == 0
    assert stub.url in answer.out
    assert "ima2 9, up 5 s, 0 active jobs" in answer.out
    assert [one.path for one in stub.requests] == ["/api/health"]
    document = ima2("ping", "--json").json
    assert list(document)[:2] == ["ok", "base"]
    assert (document["ok"], document["provider"], document["activeJobs"]) == (True, "oauth", 0)


def test_ping_without_a_server_ends_with_3_and_a_document_alone(ima2: Any) -> None:
    answer = ima2("ping", "--json")
    assert answer.code == 3
    assert answer.json["ok"] is False
    assert answer.err == ""
    assert "Hint:" in ima2("ping").err


def test_status_says_where_everything_is(ima2: Any, home: Path, bare_stub: Any) -> None:
    text = ima2("status").out
    for token in ("ima2 3", "Config file", "Generated dir:", "Advertised server:", "none", str(home / "generated")):
        assert token in text
    home.mkdir(parents=True)
    (home / "server.json").write_text(json.dumps({"url": bare_stub.url}))
    document = ima2("status", "--json").json
    assert document["server"] == {
        "base": bare_stub.url,
        **{"ok": True, "version": "9", "provider": "oauth", "uptimeSec": 5, "activeJobs": 0},
    }
    assert document["configFile"] == {"path": str(home / "config.json"), "exists": False}
    assert bare_stub.url in ima2("status").out


def test_status_survives_a_broken_config(ima2: Any, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "config.json").write_text("{]")
    answer = ima2("status", "--json")
    assert answer.code == 0
    assert "config.json" in answer.json["configFile"]["problem"]


def test_providers_without_a_server_are_those_installed(ima2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMA2_PLUGINS", "demo")
    answer = ima2("providers")
    assert answer.code == 0
    line = next(line for line in answer.out.splitlines() if line.startswith("demo"))
    assert "Demo" in line
    assert line.endswith("ready")
    assert "No server is running" in answer.out
    document = ima2("providers", "--json").json
    assert (document["source"], document["server"]) == ("local", None)
    assert [row["id"] for row in document["providers"]] == ["demo"]


def test_providers_of_a_server_show_what_is_missing(ima2: Any, stub: Any) -> None:
    listed = [{"id": "a", "title": "First", "problem": None}, {"id": "b", "title": "Second", "problem": "No key."}]
    stub.on("GET /api/providers", {"default": "a", "providers": listed})
    lines = ima2("providers").out.splitlines()
    assert lines[2].split() == ["a", "*", "First", "ready"]
    assert lines[3].split() == ["b", "Second", "No", "key."]
    document = ima2("providers", "--json").json
    assert (document["source"], document["server"], document["default"]) == ("server", stub.url, "a")


def test_providers_warn_of_what_is_known_of_models_where_a_provider_is_ready(ima2: Any, stub: Any) -> None:
    ended = {"id": "a", "title": "First", "problem": None, "warnings": ["old was ended."]}
    unused = {"id": "b", "title": "Second", "problem": "No key.", "warnings": ["older was ended."]}
    stub.on("GET /api/providers", {"default": "a", "providers": [ended, unused]})
    assert ima2("providers").err == "Warning: a: old was ended.\n"


def test_providers_can_be_asked_anew_for_their_models(ima2: Any, stub: Any) -> None:
    stub.on("GET /api/providers", {"default": "a", "providers": [{"id": "a", "title": "First", "problem": None}]})
    looked = [{"id": "a", "models": ["one", "two"]}, {"id": "b", "models": [], "reason": "It is down."}]
    stub.on("POST /api/providers/refresh", {"ok": True, "providers": looked})
    answer = ima2("providers", "--refresh")
    assert "a: lists one, two\nb: It is down.\n" in answer.out
    assert ima2("providers", "--refresh", "--json").json["refreshed"] == looked


def test_doctor_warns_of_models_whose_end_has_come(ima2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hall(Provider):
        id, title = "hall", "Hall"
        capabilities = Capabilities(models=(Model("old", ends="2026-01-31", replacement="new"), Model("new")))

    def here() -> Booted:
        booted = inspect_here()
        booted.registry.providers["hall"] = Hall()
        return booted

    monkeypatch.setattr("ima2.cli.inspection.inspect_here", here)
    (found,) = (one for one in ima2("doctor", "--json").json["checks"] if one["id"] == "models:hall")
    assert found["result"] == "warn"
    assert "old was ended by its service on 2026-01-31; new takes its place." in found["text"]


def test_capabilities_come_from_the_server_or_from_here(
    ima2: Any, bare_stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMA2_PLUGINS", "demo")
    here = ima2("capabilities", "--json").json
    assert (here["ok"], here["name"], here["source"], here["server"]) == (True, "ima2", "local", None)
    assert "demo" in here["valid"]["providers"]
    assert "undefined" not in ima2("capabilities").out
    assert ima2("capabilities", "--require-server").code == 3
    assert ima2("capabilities", "--server", "http://127.0.0.1:1").code == 3
    bare_stub.on("GET /api/capabilities", {"ok": True, "source": "server"})
    assert ima2("capabilities", "--server", bare_stub.url, "--json").json == {"ok": True, "source": "server"}
    assert ima2("capabilities", "--server", bare_stub.url).code == 0


def test_storage_status_comes_from_the_server_or_from_here(ima2: Any, home: Path, bare_stub: Any) -> None:
    answer = ima2("storage", "status", "--json")
    assert answer.json["data"]["overrides"]["configDir"] is True
    bare_stub.on("GET /api/storage/status", {"ok": True, "data": {"generatedCount": 3}})
    text = ima2("storage", "status", "--server", bare_stub.url).out
    assert text == '{\n  "ok": true,\n  "data": {\n    "generatedCount": 3\n  }\n}\n'


def test_doctor_passes_a_sound_installation_and_changes_nothing(ima2: Any, home: Path) -> None:
    answer = ima2("doctor", "--json")
    assert answer.code == 0
    found = rows(answer)
    for name in ("python", "package", "plugins", "config", "config-dir", "generated-dir", "disk", "database"):
        assert found[name] == "pass"
    assert found["providers"] == found["thumbnailer"] == "warn"
    assert answer.json["ok"] is True
    assert answer.json["summary"]["failed"] == 0
    assert not home.exists()
    text = ima2("doctor").out
    assert "Doctor" in text
    assert "Storage" in text
    assert "passed" in text


def test_doctor_help_checks_nothing(ima2: Any) -> None:
    answer = ima2("doctor", "--help")
    assert "Usage:" in answer.out
    assert "passed" not in answer.out


def test_doctor_finds_a_broken_config(ima2: Any, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "config.json").write_text("{]")
    answer = ima2("doctor", "--json")
    assert answer.code == 1
    assert rows(answer)["config"] == "fail"


def test_doctor_finds_a_config_that_others_can_read_only_if_it_holds_a_key(ima2: Any, home: Path) -> None:
    home.mkdir(parents=True)
    file = home / "config.json"
    file.write_text('{"provider": "x"}')
    file.chmod(0o644)
    assert "config-private" not in rows(ima2("doctor", "--json"))
    file.write_text('{"deep": {"openaiApiKey": "sk-secret"}}')
    answer = ima2("doctor", "--json")
    assert rows(answer)["config-private"] == "warn"
    assert "sk-secret" not in answer.out
    file.chmod(0o600)
    assert "config-private" not in rows(ima2("doctor", "--json"))


def test_doctor_finds_a_damaged_database(ima2: Any, home: Path) -> None:
    home.mkdir(parents=True)
    file = home / "sessions.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE t (a TEXT)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 200)
    connection.close()
    assert rows(ima2("doctor", "--json"))["database"] == "pass"
    data = bytearray(file.read_bytes())
    data[4096:12288] = b"\xff" * 8192
    file.write_bytes(data)
    answer = ima2("doctor", "--json")
    assert (answer.code, rows(answer)["database"]) == (1, "fail")
    file.write_bytes(b"this is no database at all, only some words" * 100)
    assert rows(ima2("doctor", "--json"))["database"] == "fail"


def test_doctor_finds_folders_that_are_files(ima2: Any, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "generated").write_text("")
    answer = ima2("doctor", "--json")
    assert (answer.code, rows(answer)["generated-dir"]) == (1, "fail")


def test_doctor_finds_a_plugin_that_fails(ima2: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "site" / "broken-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[ima2.plugins]\nbroken = broken_plugin\n")
    (tmp_path / "site" / "broken_plugin.py").write_text("raise RuntimeError('no luck')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("IMA2_PLUGINS", "local_storage,broken")
    answer = ima2("doctor", "--json")
    assert (answer.code, rows(answer)["plugin:broken"]) == (1, "fail")
    assert "no luck" in answer.out
    monkeypatch.setenv("IMA2_PLUGINS", "local_storage,absent")
    assert rows(ima2("doctor", "--json"))["plugins"] == "fail"


def test_doctor_asks_the_server_that_is_advertised(ima2: Any, home: Path, bare_stub: Any) -> None:
    home.mkdir(parents=True)
    (home / "server.json").write_text(json.dumps({"url": bare_stub.url}))
    assert rows(ima2("doctor", "--json"))["server"] == "pass"
    (home / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:1"}))
    answer = ima2("doctor", "--json")
    assert (answer.code, rows(answer)["server"]) == (0, "warn")


def test_doctor_finds_an_open_door(ima2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMA2_HOST", "0.0.0.0")
    assert rows(ima2("doctor", "--json"))["lan"] == "fail"
    monkeypatch.setenv("IMA2_LAN_TOKEN", "something")
    assert "lan" not in rows(ima2("doctor", "--json"))


def test_doctor_says_when_the_port_is_taken(ima2: Any, bare_stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "taken" not in ima2("doctor").out
    monkeypatch.setenv("IMA2_PORT", bare_stub.url.rpartition(":")[2])
    assert "taken" in ima2("doctor").out
