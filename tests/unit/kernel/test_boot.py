"""From records to parts in use: all of a plugin's parts or none, and every failure a row."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, SecretStr
from sqlalchemy import MetaData

import ima2
from ima2.kernel.boot import Booted, disable
from ima2.kernel.collect import panels, routers, tables
from ima2.kernel.discovery import PluginRecord, State, discover
from ima2.kernel.switches import Switches

Booting = Callable[..., Booted]
Make = Callable[..., Any]


class Untitled(ima2.Provider):
    id = "untitled"


class Echo(ima2.Provider):
    id = "echo"
    title = "Echo"


def only(booted: Booted) -> PluginRecord:
    (record,) = booted.records
    return record


def test_parts_are_taken_in_with_their_owner(booting: Booting, plugin: Make, sink: Make) -> None:
    module = plugin(ima2_event_sinks=lambda: [sink("one")], ima2_providers=lambda ctx: [Echo()])
    booted = booting({"mine": module})
    assert list(booted.registry.event_sinks) == ["one"]
    assert booted.registry.owners == {("event_sink", "one"): "mine", ("provider", "echo"): "mine"}
    assert only(booted).state is State.READY
    assert only(booted).offers == ["event_sink:one", "provider:echo"]
    assert only(booted).hooks == ["ima2_providers", "ima2_event_sinks"]
    assert booted.contexts["mine"].plugin == "mine"


def test_settings_are_validated_before_any_part_is_made(booting: Booting, plugin: Make, sink: Make) -> None:
    class Model(BaseModel):
        name: str = ima2.setting("sink")
        key: SecretStr | None = ima2.setting(None)

    made: list[Any] = []

    def offer(ctx: ima2.PluginContext) -> list[Any]:
        made.append(ctx.settings)
        return [sink(ctx.settings.name)]

    module = plugin(ima2_settings=lambda: Model, ima2_event_sinks=offer)
    booted = booting({"mine": module}, document={"plugins": {"mine": {"name": "named"}}})
    assert list(booted.registry.event_sinks) == ["named"]
    failed = booting({"mine": module}, document={"plugins": {"mine": {"name": {"secret-value": 1}}}})
    assert only(failed).stage == "settings"
    assert "name (plugins.mine.name)" in (only(failed).error or "")
    assert "secret-value" not in (only(failed).error or "")
    assert len(made) == 1


@pytest.mark.parametrize(
    ("hooks", "stage", "told"),
    [
        ({"ima2_providers": lambda: [Untitled()]}, "ima2_providers", "Untitled has no title"),
        ({"ima2_providers": lambda: Echo()}, "ima2_providers", "must return a list of Provider, not one Echo"),
        ({"ima2_providers": lambda: [Echo]}, "ima2_providers", "gave Echo itself, wanted a Provider"),
        ({"ima2_storages": lambda: [Echo()]}, "ima2_storages", "gave a Echo, wanted a Storage"),
        ({"ima2_providers": lambda: 5}, "ima2_providers", "must return a list"),
        ({"ima2_providers": lambda: [Echo(), Echo()]}, "ima2_providers", "offered twice"),
        ({"ima2_providers": lambda: 1 / 0}, "ima2_providers", "ZeroDivisionError"),
        ({"ima2_settings": lambda: dict}, "settings", "must return a pydantic model class"),
        ({"ima2_providers": lambda wrong: []}, "hooks", "TypeError"),
    ],
)
def test_a_plugin_that_offers_wrongly_has_failed(
    booting: Booting, plugin: Make, hooks: dict[str, Any], stage: str, told: str
) -> None:
    booted = booting({"mine": plugin(**hooks)})
    assert only(booted).state is State.FAILED
    assert only(booted).stage == stage
    assert told in (only(booted).error or "")
    assert not booted.registry.owners


def test_a_plugin_that_calls_exit_has_failed_alone(booting: Booting, plugin: Make, sinks: Make, sink: Make) -> None:
    def leave() -> None:
        raise SystemExit(1)

    booted = booting({"bad": plugin(ima2_providers=leave), "good": sinks(sink("s"))})
    assert [record.state for record in booted.records] == [State.FAILED, State.READY]


def test_all_of_a_plugins_parts_or_none(booting: Booting, plugin: Make, sink: Make) -> None:
    module = plugin(ima2_event_sinks=lambda: [sink("fine")], ima2_providers=lambda: [Untitled()])
    assert booting({"mine": module}).registry.owners == {}


def test_an_id_that_is_no_slug_is_refused(booting: Booting, sinks: Make, sink: Make) -> None:
    assert "must be a slug" in (only(booting({"mine": sinks(sink("Not a slug"))})).error or "")


def test_of_two_plugins_with_one_id_the_second_fails_and_the_first_is_named(
    booting: Booting, sinks: Make, sink: Make
) -> None:
    booted = booting({"first": sinks(sink("same")), "second": sinks(sink("other"), sink("same"))})
    assert [record.state for record in booted.records] == [State.READY, State.FAILED]
    assert "already offered by plugin first" in (booted.record("second").error or "")
    assert list(booted.registry.event_sinks) == ["same"]


def test_a_plugin_without_hooks_has_failed(booting: Booting) -> None:
    assert "no known hook" in (only(booting({"mine": ModuleType("empty")})).error or "")


def test_an_unknown_hook_is_a_warning(booting: Booting, plugin: Make, sink: Make) -> None:
    booted = booting({"mine": plugin(ima2_event_sinks=lambda: [sink("s")], ima2_dreams=lambda: [])})
    assert only(booted).state is State.READY
    assert only(booted).warnings == ["ima2_dreams is not known to this version"]


def test_what_is_off_is_not_touched(booting: Booting, plugin: Make) -> None:
    module = plugin(ima2_providers=lambda: pytest.fail("an off plugin was called"))
    booted = booting({"mine": module}, switches=Switches(disabled=frozenset({"mine"})))
    assert only(booted).state is State.OFF


def test_the_failure_of_a_named_plugin_is_raised(booting: Booting, plugin: Make) -> None:
    module = plugin(ima2_providers=lambda: 1 / 0)
    named = Switches.from_sources("mine", {}, {})
    with pytest.raises(ima2.Ima2Error, match=r"named by --plugins, failed .*ZeroDivisionError") as caught:
        booting({"mine": module}, switches=named)
    assert caught.value.code == "PLUGIN_FAILED"
    assert only(booting({"mine": module}, switches=named, fatal=False)).state is State.FAILED


def test_a_named_plugin_that_does_not_exist_is_raised_with_close_matches(booting: Booting, plugin: Make) -> None:
    with pytest.raises(ima2.Ima2Error, match="Did you mean mine") as caught:
        booting({"mine": plugin(ima2_panels=lambda: [])}, switches=Switches.from_sources("mime", {}, {}))
    assert caught.value.code == "UNKNOWN_PLUGIN"


def test_an_inline_plugin_cannot_take_an_installed_ones_name(booting: Booting, plugin: Make) -> None:
    records = [PluginRecord("mine", package="installed", module=plugin(ima2_panels=lambda: []))]
    booted = booting({"mine": plugin(ima2_panels=lambda: [])}, records=records)
    assert [record.state for record in booted.records] == [State.READY, State.FAILED]
    assert "also claimed by installed" in (booted.records[1].error or "")


def test_installed_plugins_boot_through_their_entry_points(booting: Booting, install: Make) -> None:
    source = "import ima2\n@ima2.hookimpl\ndef ima2_panels(): return [ima2.Panel('p', 'P', 'side', '/p.js')]\n"
    install("made-up", "[ima2.plugins]\ngood = made_up_good\nbad = made_up_bad\n", {"made_up_good": source})
    booted = booting(records=discover())
    assert {record.name: record.state for record in booted.records} == {"good": State.READY, "bad": State.FAILED}
    assert panels(booted) == [("good", ima2.Panel("p", "P", "side", "/p.js"))]


def test_failing_later_takes_every_part_out(booting: Booting, sinks: Make, plugin: Make, sink: Make) -> None:
    both = plugin(ima2_event_sinks=lambda: [sink("a")], ima2_providers=lambda: [Echo()])
    booted = booting({"mine": both, "other": sinks(sink("b"))})
    disable(booted, "mine", "open a", TimeoutError("too slow"))
    assert list(booted.registry.event_sinks) == ["b"]
    assert booted.registry.owners == {("event_sink", "b"): "other"}
    assert (booted.record("mine").stage, booted.record("mine").offers) == ("open a", [])
    assert [record.name for record in booted.ready()] == ["other"]


def test_tables_routes_and_panels_are_asked_for_and_checked(booting: Booting, plugin: Make) -> None:
    kept, router = ima2.Tables(MetaData()), APIRouter()
    good = plugin(ima2_tables=lambda ctx: kept, ima2_routes=lambda: router, ima2_panels=lambda: None)
    bad = plugin(ima2_tables=lambda: MetaData(), ima2_panels=lambda: [])
    booted = booting({"good": good, "bad": bad})
    assert tables(booted) == [("good", kept)]
    assert booted.record("bad").state is State.FAILED
    assert "wanted a Tables" in (booted.record("bad").error or "")
    assert routers(booted) == [("good", ima2.Routes(router))]
    assert panels(booted) == []


def test_a_later_failure_of_a_named_plugin_is_raised_too(booting: Booting, plugin: Make) -> None:
    booted = booting({"mine": plugin(ima2_routes=lambda: 1 / 0)}, switches=Switches.from_sources("mine", {}, {}))
    with pytest.raises(ima2.Ima2Error, match="ZeroDivisionError"):
        routers(booted)
