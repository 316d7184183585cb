"""Where values come from, for the kernel and for plugins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, field_validator

from ima2 import Ima2Error, setting
from ima2.settings.model import Settings, load, plugin_settings


def test_without_anything_the_defaults_hold() -> None:
    loaded = load({}, {})
    settings = loaded.settings
    assert loaded.warnings == []
    assert (settings.port, settings.host, settings.body_limit) == (3333, "127.0.0.1", 52_428_800)
    assert (settings.max_ref_count, settings.max_ref_b64_bytes) == (5, 7_340_032)
    assert (settings.history_page_size, settings.history_max_page) == (50, 500)
    assert (settings.max_jobs, settings.max_parallel, settings.log_level) == (12, 8, "info")
    assert settings.static_max_age == 31_536_000
    assert settings.generated == Path.home() / ".ima2" / "generated"
    assert settings.database == Path.home() / ".ima2" / "sessions.db"
    assert settings.advertisement == Path.home() / ".ima2" / "server.json"


def test_environment_beats_file_beats_default() -> None:
    document = {"server": {"port": 1, "host": "file"}, "storage": {"use": "bucket"}}
    settings = load({"PORT": "2", "IMA2_HOST": "env"}, document).settings
    assert (settings.port, settings.host, settings.storage) == (2, "env", "bucket")
    assert load({"PORT": "2", "IMA2_PORT": "3"}, document).settings.port == 3
    assert load({}, document).settings.port == 1


def test_an_empty_text_counts_as_not_given() -> None:
    document = {"server": {"port": "", "host": None}}
    settings = load({"IMA2_PORT": "", "PORT": " ", "IMA2_CONFIG_DIR": "", "IMA2_LAN_TOKEN": ""}, document).settings
    assert (settings.port, settings.host, settings.lan_token) == (3333, "127.0.0.1", None)


def test_the_processs_own_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "IMA2_PORT", "HOST", "port"):
        monkeypatch.setenv(name, "9")
    assert load({}, {}).settings.port == 3333
    assert load({}, {}).settings.host == "127.0.0.1"


def test_the_older_key_of_the_page_size_still_counts_behind_the_newer() -> None:
    older = {"limits": {"historyDefaultPageSize": 7}}
    assert load({}, older).settings.history_page_size == 7
    assert load({}, {**older, "history": {"defaultPageSize": 8}}).settings.history_page_size == 8


@pytest.mark.parametrize(
    ("environ", "document", "where"),
    [
        ({"IMA2_PORT": "very-odd"}, {}, "IMA2_PORT"),
        ({"IMA2_PORT": "very-odd"}, {"server": {"port": 4000}}, "IMA2_PORT"),
        ({}, {"server": {"port": "very-odd"}}, "server.port"),
        ({}, {"server": {"port": ["very-odd"]}}, "server.port"),
    ],
)
def test_what_is_no_number_leaves_the_default_with_a_warning(
    environ: dict[str, str], document: dict[str, Any], where: str
) -> None:
    loaded = load(environ, document)
    assert loaded.settings.port == 3333
    assert loaded.warnings == [f"{where} cannot be used as it stands; the default (3333) is in force."]


def test_several_unusable_values_are_all_told() -> None:
    environ = {"IMA2_MAX_JOBS": "x", "IMA2_BODY_LIMIT": "big", "IMA2_LOG_LEVEL": "loud", "IMA2_STATIC_MAX_AGE": "-1y"}
    loaded = load(environ, {})
    assert len(loaded.warnings) == 4
    assert (loaded.settings.max_jobs, loaded.settings.body_limit, loaded.settings.log_level) == (12, 52_428_800, "info")


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({"IMA2_PORT": "65536"}, "IMA2_PORT"),
        ({"IMA2_PORT": "-1"}, "IMA2_PORT"),
        ({"IMA2_MAX_JOBS": "0"}, "IMA2_MAX_JOBS"),
        ({"IMA2_JOB_TIMEOUT_S": "inf"}, "IMA2_JOB_TIMEOUT_S"),
        ({"IMA2_GENERATED_DIRNAME": "../up"}, "IMA2_GENERATED_DIRNAME"),
    ],
)
def test_a_value_out_of_range_is_refused_and_names_where_it_stands(environ: dict[str, str], where: str) -> None:
    with pytest.raises(Ima2Error) as caught:
        load(environ, {})
    assert caught.value.code == "CONFIG_INVALID"
    assert caught.value.text.startswith(where)


def test_a_token_that_is_none_is_refused_rather_than_ignored() -> None:
    with pytest.raises(Ima2Error, match=r"server\.lanToken"):
        load({}, {"server": {"lanToken": 12345}})


@pytest.mark.parametrize(("text", "value"), [("1kb", 1024), ("2MB", 2 << 20), ("1.5kb", 1536), ("77", 77), (77, 77)])
def test_sizes_are_read_with_their_unit(text: Any, value: int) -> None:
    assert load({}, {"server": {"bodyLimit": text}}).settings.body_limit == value


@pytest.mark.parametrize(
    ("text", "value"), [("30d", 2_592_000), ("12h", 43_200), ("10m", 600), ("5s", 5), ("60000", 60)]
)
def test_times_are_read_with_their_unit_or_as_milliseconds(text: str, value: int) -> None:
    assert load({"IMA2_STATIC_MAX_AGE": text}, {}).settings.static_max_age == value


@pytest.mark.parametrize(("text", "value"), [("1", True), ("TRUE", True), ("Yes", True), ("on", False), ("0", False)])
def test_flags_are_true_by_three_words_only(text: str, value: bool) -> None:
    assert load({"IMA2_DEV": text}, {}).settings.dev is value


def test_development_logs_more_unless_told_otherwise() -> None:
    assert load({"IMA2_DEV": "1"}, {}).settings.log_level == "debug"
    assert load({"IMA2_DEV": "1", "IMA2_LOG_LEVEL": "WARN"}, {}).settings.log_level == "warn"
    assert load({"IMA2_DEV": "1"}, {"log": {"level": "error"}}).settings.log_level == "error"


def test_every_path_moves_with_the_folder_unless_it_is_named(tmp_path: Path) -> None:
    environ = {"IMA2_CONFIG_DIR": str(tmp_path), "IMA2_GENERATED_DIRNAME": "g", "IMA2_DB_PATH": "~/x.db"}
    settings = load(environ, {}).settings
    assert (settings.generated, settings.database) == (tmp_path / "g", Path.home() / "x.db")
    assert load({**environ, "IMA2_GENERATED_DIR": "/pictures"}, {}).settings.generated == Path("/pictures")


def test_lists_come_from_commas_or_json() -> None:
    assert load({"IMA2_ALLOWED_HOSTS": " a.example, b "}, {}).settings.allowed_hosts == ("a.example", "b")
    assert load({}, {"server": {"allowedHosts": ["c"]}}).settings.allowed_hosts == ("c",)


def test_a_token_does_not_show_itself() -> None:
    settings = load({"IMA2_LAN_TOKEN": "open-sesame"}, {}).settings
    assert settings.lan_token is not None
    assert settings.lan_token.get_secret_value() == "open-sesame"
    assert "open-sesame" not in repr(settings)


def test_settings_can_be_given_by_name() -> None:
    assert Settings(port=0, host="::1").port == 0


class Plugin(BaseModel):
    api_key: SecretStr | None = setting(None, env="NEW_KEY OLD_KEY", key="oldKey")
    count: int = setting(3, env="COUNT", key="old.count", ge=1)
    tags: list[str] = setting(None, default_factory=list)
    table: dict[str, int] = setting(None, default_factory=dict)
    enabled: bool = False

    @field_validator("tags")
    @classmethod
    def _short(cls, value: list[str]) -> list[str]:
        if any(len(tag) > 5 for tag in value):
            raise ValueError(f"too long: {value}")
        return value


def resolved(environ: dict[str, str], document: dict[str, Any]) -> Plugin:
    settings = plugin_settings(Plugin, "my-plug", environ, document)
    assert isinstance(settings, Plugin)
    return settings


def test_a_plugins_value_comes_from_the_strongest_of_five_places() -> None:
    environ = {"IMA2_PLUGINS__MY_PLUG__COUNT": "5", "COUNT": "6"}
    document = {"plugins": {"my-plug": {"count": 7}}, "old": {"count": 8}}
    assert resolved(environ, document).count == 5
    assert resolved({"COUNT": "6"}, document).count == 6
    assert resolved({}, document).count == 7
    assert resolved({}, {"old": document["old"]}).count == 8
    assert resolved({}, {}).count == 3


def test_a_fields_first_variable_beats_its_second() -> None:
    key = resolved({"OLD_KEY": "old", "NEW_KEY": "new"}, {"oldKey": "file"}).api_key
    assert key is not None
    assert key.get_secret_value() == "new"


def test_texts_become_lists_mappings_and_flags() -> None:
    environ = {
        "IMA2_PLUGINS__MY_PLUG__TAGS": "a, b",
        "IMA2_PLUGINS__MY_PLUG__TABLE": '{"x": 1}',
        "IMA2_PLUGINS__MY_PLUG__ENABLED": "YES",
    }
    settings = resolved(environ, {})
    assert (settings.tags, settings.table, settings.enabled) == (["a", "b"], {"x": 1}, True)
    assert resolved({"IMA2_PLUGINS__MY_PLUG__TAGS": '["c,d"]'}, {}).tags == ["c,d"]


@pytest.mark.parametrize(
    ("environ", "named", "value"),
    [
        ({"IMA2_PLUGINS__MY_PLUG__COUNT": "sk-hidden"}, "count (IMA2_PLUGINS__MY_PLUG__COUNT)", "sk-hidden"),
        ({"COUNT": "-77"}, "count (COUNT): Input should be greater than or equal to 1", "-77"),
        ({"IMA2_PLUGINS__MY_PLUG__TAGS": "sk-hidden"}, "tags (IMA2_PLUGINS__MY_PLUG__TAGS): is refused", "sk-hidden"),
        ({"IMA2_PLUGINS__MY_PLUG__TABLE": "sk-hidden"}, "table (IMA2_PLUGINS__MY_PLUG__TABLE)", "sk-hidden"),
    ],
)
def test_a_bad_value_names_field_place_and_rule_and_never_itself(
    environ: dict[str, str], named: str, value: str
) -> None:
    with pytest.raises(Ima2Error) as caught:
        resolved(environ, {})
    assert caught.value.code == "PLUGIN_SETTINGS_INVALID"
    assert named in caught.value.text
    assert value not in caught.value.text
    assert caught.value.__cause__ is None


def test_every_bad_field_is_named_at_once() -> None:
    with pytest.raises(Ima2Error, match=r"count .*; table "):
        resolved({"COUNT": "x", "IMA2_PLUGINS__MY_PLUG__TABLE": "x"}, {})
