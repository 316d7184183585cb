"""Which plugins are on, and who said so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ima2 import Ima2Error
from ima2.kernel.switches import Switches, disable, enable
from ima2.settings.config_file import ConfigFile

DOCUMENT = {"plugins": {"disabled": ["a"], "required": ["b"]}}


def test_what_is_installed_is_on_unless_it_is_on_the_off_list() -> None:
    switches = Switches.from_sources(None, {}, DOCUMENT)
    assert not switches.is_on("a")
    assert switches.is_on("anything")


def test_the_flag_beats_the_environment_which_beats_the_file() -> None:
    environ = {"IMA2_PLUGINS": "from_env"}
    by_flag = Switches.from_sources("a, from_flag", environ, DOCUMENT)
    assert [by_flag.is_on(name) for name in ("a", "from_flag", "from_env", "b")] == [True, True, False, False]
    by_env = Switches.from_sources(None, environ, DOCUMENT)
    assert [by_env.is_on(name) for name in ("a", "from_env")] == [False, True]


def test_an_empty_list_of_plugins_means_none() -> None:
    assert not Switches.from_sources(None, {"IMA2_PLUGINS": ""}, DOCUMENT).is_on("b")
    assert not Switches.from_sources("", {}, DOCUMENT).is_on("b")


def test_plugins_that_a_person_named_may_not_fail() -> None:
    from_file = Switches.from_sources(None, {}, DOCUMENT)
    assert from_file.named("b")
    assert not from_file.named("c")
    assert Switches.from_sources("c", {}, DOCUMENT).named("c")
    assert not Switches.from_sources("c", {}, DOCUMENT).named("b")


def test_a_named_plugin_that_is_not_installed_is_told_with_close_matches() -> None:
    told = Switches.from_sources("pilow", {}, {}).unknown(["pillow", "other"])
    assert told is not None
    assert "--plugins" in told
    assert "Did you mean pillow?" in told
    assert Switches.from_sources("pillow", {}, {}).unknown(["pillow"]) is None


def test_requiring_and_disabling_one_plugin_is_told() -> None:
    document = {"plugins": {"disabled": ["a"], "required": ["a"]}}
    assert "both requires and disables a" in str(Switches.from_sources(None, {}, document).unknown(["a"]))


@pytest.mark.parametrize("plugins", [[], "a", {"disabled": "a"}, {"disabled": [1]}, {"required": {"a": 1}}])
def test_lists_that_are_none_are_refused(plugins: object) -> None:
    with pytest.raises(Ima2Error) as caught:
        Switches.from_sources(None, {}, {"plugins": plugins})
    assert caught.value.code == "CONFIG_INVALID"


def test_switching_off_and_on_again_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = ConfigFile(tmp_path / "config.json")
    file.set("server.port", 4000)
    before = file.path.read_bytes()
    assert disable(file, "b")
    assert disable(file, "a")
    assert not disable(file, "a")
    assert json.loads(file.path.read_text())["plugins"] == {"disabled": ["a", "b"]}
    assert enable(file, "a")
    assert enable(file, "b")
    assert not enable(file, "b")
    assert file.path.read_bytes() == before
