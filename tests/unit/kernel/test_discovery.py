"""Finding plugins without importing them, and importing one at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from ima2 import Ima2Error
from ima2.kernel.compat import check, unmet
from ima2.kernel.discovery import PluginRecord, State, commands, discover, explain, load

Install = Callable[..., None]
HOOK = "import ima2\n@ima2.hookimpl\ndef ima2_panels(): return []\n"


def test_plugins_are_found_with_package_and_version_and_none_is_imported(install: Install) -> None:
    install("made-up", "[ima2.plugins]\nzeta = made_up_z\nalpha = made_up_a\n", {"made_up_a": HOOK}, version="2.5")
    found = discover()
    assert [(record.name, record.package, record.version, record.value) for record in found] == [
        ("alpha", "made-up", "2.5", "made_up_a"),
        ("zeta", "made-up", "2.5", "made_up_z"),
    ]
    assert {record.state for record in found} == {State.FOUND}
    assert not {"made_up_a", "made_up_z"} & set(sys.modules)


def test_a_package_without_plugins_is_passed_over(install: Install) -> None:
    install("other", "[console_scripts]\nother = other:main\n")
    assert discover() == []


def test_a_name_claimed_by_two_packages_has_failed_and_names_both(install: Install) -> None:
    for package in ("first", "second"):
        install(package, f"[ima2.plugins]\nsame = {package}_module\n", {f"{package}_module": HOOK})
    (record,) = discover()
    assert record.state is State.FAILED
    assert record.error == "Claimed by first and second: uninstall one of them."


@pytest.mark.parametrize("name", ["disabled", "required", "Upper", "with space"])
def test_a_name_that_cannot_be_one_has_failed(install: Install, name: str) -> None:
    install("made-up", f"[ima2.plugins]\n{name} = made_up_a\n")
    (record,) = discover()
    assert record.state is State.FAILED


def test_loading_imports_the_module_and_takes_the_time(install: Install) -> None:
    install("made-up", "[ima2.plugins]\nalpha = made_up_a\n", {"made_up_a": HOOK})
    (record,) = discover()
    assert load(record)
    assert record.module.__name__ == "made_up_a"
    assert record.load_ms is not None
    assert record.load_ms >= 0


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise ValueError('one\\ntwo')", "ValueError: one"),
        ("assert False, 'never'", "AssertionError: never"),
        ("def broken(:", "SyntaxError"),
        ("import no_such_thing_1", "Install what brings no_such_thing_1, or run `ima2 plugins disable alpha`."),
        ("raise RuntimeError('key sk-abc123 at https://me:pw@host')", "key <redacted> at https://<redacted>@host"),
    ],
)
def test_whatever_an_import_raises_is_one_line_on_the_record(install: Install, source: str, told: str) -> None:
    install("made-up", "[ima2.plugins]\nalpha = made_up_a\n", {"made_up_a": source})
    (record,) = discover()
    assert not load(record)
    assert (record.state, record.stage) == (State.FAILED, "import")
    assert told in (record.error or "")
    assert "\n" not in (record.error or "")


def test_a_package_whose_own_module_is_missing_is_to_be_installed_again(install: Install) -> None:
    install("made-up", "[ima2.plugins]\nalpha = gone_module\n")
    (record,) = discover()
    assert not load(record)
    assert "Install made-up again" in (record.error or "")


def test_the_first_failure_of_a_plugin_stays() -> None:
    record = PluginRecord("a")
    record.fail("import", ValueError("first"))
    record.fail("open", ValueError("second"))
    assert (record.stage, record.error) == ("import", "ValueError: first")


def test_an_error_for_people_is_told_in_its_own_words() -> None:
    assert explain(Ima2Error("X", 400, "Do this instead.")) == "Do this instead."


def test_commands_are_found_without_import_and_rivals_are_known(install: Install) -> None:
    for package in ("first", "second"):
        install(package, f"[ima2.commands]\nsame = {package}_cli:main\n{package} = {package}_cli:main\n")
    found = commands()
    assert sorted(found) == ["first", "same", "second"]
    assert {found["same"].package, *found["same"].rivals} == {"first", "second"}
    assert not found["first"].rivals
    assert "first_cli" not in sys.modules


@pytest.mark.parametrize(
    ("requirement", "wanted"),
    [
        ("ima2>=4", ">=4"),
        ("ima2 (<3)", "<3"),
        ("ima2>=3,<4", None),
        ("ima2", None),
        ("ima2-provider-other>=9", None),
        ("IMA2==2.0", "==2.0"),
        ('ima2>=9; extra == "testing"', None),
        ('ima2>=9; python_version < "3"', None),
        ("ima2 >= what", " in a way that cannot be read"),
    ],
)
def test_a_requirement_is_compared_with_this_version(requirement: str, wanted: str | None) -> None:
    assert unmet(("click>=8", requirement), "3.0.0") == wanted


def test_a_prerelease_of_the_wanted_version_is_not_too_old() -> None:
    assert unmet(("ima2>=3.0.0rc1,<4",), "3.0.0rc2") is None


def test_a_plugin_made_for_another_version_fails_before_it_is_imported(install: Install) -> None:
    install("made-up", "[ima2.plugins]\nalpha = made_up_a\n", {"made_up_a": HOOK}, requires=("ima2>=4",))
    (record,) = discover()
    assert not check(record, "3.0.0")
    assert (record.state, record.stage) == (State.FAILED, "requirement")
    assert (record.error or "").startswith("needs ima2>=4, this is 3.0.0.")
    assert "made_up_a" not in sys.modules


def test_a_command_is_switched_off_with_the_plugin_whose_module_holds_it(install: Install) -> None:
    entries = (
        "[ima2.plugins]\nbees = apiary.bees\n[ima2.commands]\nhive = apiary.bees.commands:hive\nsmoke = apiary:smoke\n"
    )
    install("apiary", entries)
    assert {name: commands()[name].plugin for name in ("hive", "smoke")} == {"hive": "bees", "smoke": "smoke"}
