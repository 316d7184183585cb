"""Who gets an id that two claim, which ids nobody gets, and what is said of what is not in use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ima2
from ima2.kernel import compat, report
from ima2.kernel.boot import Booted, boot
from ima2.kernel.discovery import PluginRecord, State, discover
from ima2.kernel.switches import Switches, disable, enable
from ima2.settings.config_file import ConfigFile
from ima2.settings.model import misspelt
from ima2.testing import EchoProvider, context, plugin

Install = Callable[..., None]
OFFERING = """
import ima2

class One(ima2.Provider):
    id = "drawer"
    title = "Drawer"

@ima2.hookimpl
def ima2_providers():
    return [One()]
"""
NEEDS = ("ima2>=3,<4",)


def started(tmp_path: Path, document: dict[str, Any], **more: Any) -> Booted:
    return boot(
        Switches.from_sources(None, {}, document),
        settings=lambda name, model: model(),
        context=lambda name, settings: context(tmp_path, settings, name=name),
        **more,
    )


@pytest.fixture
def two_packages(install: Install) -> None:
    install("aaa-stranger", "[ima2.plugins]\naaa = aaa_mod\n", {"aaa_mod": OFFERING}, requires=NEEDS)
    install("ima2", "[ima2.plugins]\nown = own_mod\n", {"own_mod": OFFERING}, version="3.0.0")


@pytest.mark.usefixtures("two_packages")
def test_an_id_of_ours_is_not_taken_by_an_earlier_name(tmp_path: Path) -> None:
    booted = started(tmp_path, {})
    assert booted.registry.owners == {("provider", "drawer"): "own"}
    assert booted.record("aaa").state is State.FAILED
    assert "already offered by plugin own" in str(booted.record("aaa").error)


@pytest.mark.usefixtures("two_packages")
def test_an_id_goes_to_the_plugin_that_the_config_file_requires(tmp_path: Path) -> None:
    booted = started(tmp_path, {"plugins": {"required": ["aaa"]}})
    assert booted.registry.owners == {("provider", "drawer"): "aaa"}
    assert booted.record("own").state is State.FAILED


@pytest.mark.parametrize("taken", ["auto", "keys", "config", "auth"])
def test_an_id_that_means_something_else_is_refused(taken: str, tmp_path: Path) -> None:
    class Named(EchoProvider):
        id = taken

    booted = started(tmp_path, {}, records=[], extra={"mine": plugin(providers=[Named()])})
    assert f"{taken!r}" in str(booted.record("mine").error)


def test_two_plugins_on_one_module_are_told_of_each_other(tmp_path: Path) -> None:
    module = plugin(providers=[EchoProvider()])
    booted = started(tmp_path, {}, records=[], extra={"first": module, "second": module})
    assert booted.record("first").state is State.READY
    assert booted.record("second").error == (
        "LookupError: its module is in use as plugin first already; switch one of the two off"
    )


def test_a_part_of_a_plugin_that_is_off_or_failed_is_told_with_the_way_out(install: Install, tmp_path: Path) -> None:
    install("one", "[ima2.plugins]\none = one_mod\n", {"one_mod": OFFERING}, requires=NEEDS)
    booted = started(tmp_path, {})
    report.remember(tmp_path, booted.records)
    off = started(tmp_path, {"plugins": {"disabled": ["one"]}})
    report.remember(tmp_path, off.records)
    off.registry.absent = report.absent(tmp_path, off.records)
    with pytest.raises(ima2.Ima2Error, match="`ima2 plugins enable one`"):
        off.registry.provider("drawer")
    (failed,) = discover()
    failed.fail("open drawer", "no socket")
    told = report.absent(tmp_path, [failed])
    assert told == {"provider:drawer": "Its plugin one failed (open drawer): no socket"}


STARTS_OFF = """
[ima2.plugins]
cards = cards_mod
lab = lab_mod

[ima2.plugins.off]
cards = IMA2_CARDS:features.cards
lab = plugins.enabled
"""


@pytest.mark.parametrize(
    ("environ", "document", "on"),
    [
        ({}, {}, set()),
        ({"IMA2_CARDS": "1"}, {}, {"cards"}),
        ({}, {"features": {"cards": True}}, {"cards"}),
        ({"IMA2_CARDS": "0"}, {"features": {"cards": True}}, set()),
        ({}, {"features": {"cards": False}, "plugins": {"enabled": ["cards", "lab"]}}, {"lab"}),
        ({}, {"plugins": {"required": ["lab"]}}, {"lab"}),
        ({"IMA2_PLUGINS": "cards,lab"}, {}, {"cards", "lab"}),
        ({"IMA2_CARDS": "1"}, {"plugins": {"disabled": ["cards"]}}, set()),
    ],
)
def test_a_plugin_that_starts_off_is_turned_on_by_what_its_package_names(
    environ: dict[str, str], document: dict[str, Any], on: set[str], install: Install
) -> None:
    install("cards-and-lab", STARTS_OFF)
    switches = Switches.from_sources(None, environ, document)
    assert {record.name for record in discover() if switches.is_on(record.name)} == on
    assert {record.name: record.turned_on_by for record in discover()} == {
        "cards": ("IMA2_CARDS", "features.cards"),
        "lab": ("plugins.enabled",),
    }


def test_enabling_reaches_a_plugin_that_starts_off(install: Install, tmp_path: Path) -> None:
    install("cards-and-lab", STARTS_OFF)
    file = ConfigFile(tmp_path / "config.json")
    assert enable(file, "lab")
    assert file.read() == {"plugins": {"enabled": ["lab"]}}
    assert Switches.from_sources(None, {}, file.read()).is_on("lab")
    assert disable(file, "lab")
    assert file.read() == {"plugins": {"disabled": ["lab"]}}


@pytest.mark.parametrize(
    ("requires", "written_for"),
    [
        (("ima2>=3,<4",), "3"),
        (("ima2~=3.1", "pillow>=9"), "3.1"),
        (("ima2",), ""),
        (("ima2-other>=2",), ""),
        ((), ""),
    ],
)
def test_a_row_says_which_ima2_a_plugin_was_written_for(requires: tuple[str, ...], written_for: str) -> None:
    record = PluginRecord("mine", "a-package", "1.0", requires=requires)
    compat.check(record, "3.1.5")
    assert record.api == written_for
    assert bool(record.warnings) == (written_for == "")
    (row,) = report.rows([record])
    assert row.get("apiVersion", 0) == (3 if written_for else 0)


def test_a_misspelt_setting_is_told_with_the_right_one(tmp_path: Path) -> None:
    from pydantic import BaseModel

    class Model(BaseModel):
        warmth: int = 1

    document = {"plugins": {"mine": {"warmht": 3, "warmth": 2}}}
    said = misspelt(Model, "mine", {"IMA2_PLUGINS__MINE__COLD": "1", "IMA2_PLUGINS__MINE__WARMTH": "1"}, document)
    assert said == [
        "IMA2_PLUGINS__MINE__COLD is set, but there is no such setting",
        "plugins.mine.warmht is set, but there is no such setting (did you mean warmth?)",
    ]
