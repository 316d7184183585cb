"""config.json: read strictly, written whole."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from ima2 import Ima2Error
from ima2.settings.config_file import ConfigFile, redacted
from ima2.settings.paths import config_dir, config_file


@pytest.fixture
def file(tmp_path: Path) -> ConfigFile:
    return ConfigFile(tmp_path / "folder" / "config.json")


def test_the_folder_is_the_variables_or_the_home_folders(tmp_path: Path) -> None:
    assert config_dir({"IMA2_CONFIG_DIR": str(tmp_path)}) == tmp_path
    assert config_dir({"IMA2_CONFIG_DIR": ""}) == config_dir({}) == Path.home() / ".ima2"
    assert config_dir({"IMA2_CONFIG_DIR": "~/x"}) == Path.home() / "x"
    assert config_file({"IMA2_CONFIG_DIR": str(tmp_path)}) == tmp_path / "config.json"


def test_a_missing_or_empty_file_reads_as_empty(file: ConfigFile) -> None:
    assert file.read() == {}
    file.path.parent.mkdir()
    file.path.write_text(" \n")
    assert file.read() == {}


def test_values_are_set_and_removed_by_dotted_key_and_the_rest_is_kept(file: ConfigFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text('{"unknown": {"kept": [1]}, "server": {"host": "é"}}')
    file.set("server.port", 4000)
    file.set("a.b.c", {"d": 1})
    assert file.read() == {
        "unknown": {"kept": [1]},
        "server": {"host": "é", "port": 4000},
        "a": {"b": {"c": {"d": 1}}},
    }
    assert "é" in file.path.read_text(encoding="utf-8")
    assert file.get("server.port") == 4000
    assert file.get("server.none", "default") == "default"
    assert file.remove("a.b.c")
    assert not file.remove("a.b.c")
    assert not file.remove("server.host.deeper")
    assert "a" not in file.read()


def test_the_file_is_private_and_nothing_else_is_left_behind(file: ConfigFile) -> None:
    file.set("a", 1)
    os.chmod(file.path, 0o644)
    file.set("a", 2)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in file.path.parent.iterdir()] == ["config.json"]


def test_a_linked_file_is_written_where_it_really_is(file: ConfigFile, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "real.json"
    real.parent.mkdir()
    real.write_text("{}")
    file.path.parent.mkdir()
    file.path.symlink_to(real)
    file.set("a", 1)
    assert file.path.is_symlink()
    assert json.loads(real.read_text()) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"apiKey": "sk-hidden",\n "x": }', "line 2 column 7"),
        (b'["sk-hidden"]', "holds no JSON object"),
        (b'{"a": "\xff sk-hidden"}', "not UTF-8"),
        (b'{"sk-hidden": ' + b"[" * 100_000, "not "),
    ],
)
def test_a_malformed_file_is_told_by_place_and_never_overwritten(file: ConfigFile, content: bytes, told: str) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    attempts = (file.read, lambda: file.set("a", 1), lambda: file.remove("apiKey"))
    for attempt in attempts:
        with pytest.raises(Ima2Error, match=told) as caught:
            attempt()
        assert caught.value.code == "CONFIG_INVALID"
        assert str(file.path) in caught.value.text
        assert "sk-hidden" not in caught.value.text
    assert file.path.read_bytes() == content


def test_a_byte_order_mark_does_not_matter(file: ConfigFile) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert file.read() == {"a": 1}


def test_a_value_in_the_way_is_not_replaced(file: ConfigFile) -> None:
    file.set("server", "text")
    with pytest.raises(Ima2Error, match="server is not an object"):
        file.set("server.port", 1)
    assert file.read() == {"server": "text"}


def test_writers_at_the_same_time_lose_nothing(file: ConfigFile) -> None:
    threads = [threading.Thread(target=file.set, args=(f"key{number}", number)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert file.read() == {f"key{number}": number for number in range(12)}


def test_secrets_are_hidden_at_every_depth() -> None:
    shown = redacted(
        {
            "apiKey": "s1",
            "xaiApiKey": "s2",
            "vertexServiceAccountJson": "s3",
            "oauth": {"token": "s4", "refreshToken": "s5", "proxyPort": 1},
            "plugins": {"p": {"api_key": "s6", "list": [{"Password": "s7", "clientSecret": {"deep": "s8"}}]}},
            "url": "http://me:s9@host/path",
            "provider": "shown",
            "empty": {"token": ""},
        }
    )
    assert not any(f"s{number}" in json.dumps(shown) for number in range(1, 10))
    assert shown["oauth"] == {"token": "<redacted>", "refreshToken": "<redacted>", "proxyPort": 1}
    assert shown["url"] == "http://<redacted>@host/path"
    assert shown["provider"] == "shown"
    assert shown["empty"] == {"token": ""}
