"""Facts as sidecars hold them."""

from __future__ import annotations

from typing import Any

import pytest

from ima2.library.sidecar import from_facts, ids_of, row_of, series_text


def test_facts_get_the_names_that_sidecars_have() -> None:
    assert from_facts({"created_at": 1, "created_at_iso": "x", "kind": "edit", "providerUrl": "u"}) == {
        "createdAt": 1,
        "createdAtIso": "x",
        "kind": "edit",
        "providerUrl": "u",
    }


def test_options_of_a_request_are_spread_into_the_fields_that_readers_know() -> None:
    facts = from_facts({"request_options": {"mode": "direct", "webSearch": True, "plannerModel": "x"}, "kind": "edit"})
    assert facts == {"promptMode": "direct", "webSearchEnabled": True, "reasoningEffort": "none", "kind": "edit"}


def test_a_value_deeper_down_keeps_its_own_names() -> None:
    assert from_facts({"video": {"some_name": 1}}) == {"video": {"some_name": 1}}


MODIFIED = 1_700_000_000_000


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("refsCount", 3, 3),
        ("refsCount", 2.9, 2),
        ("refsCount", "3", 0),
        ("refsCount", None, 0),
        ("webSearchCalls", 2, 2),
        ("webSearchCalls", True, 0),
        ("canvasVersion", True, True),
        ("canvasVersion", 1, False),
        ("createdAt", 5, 5),
        ("createdAt", 0, MODIFIED),
        ("createdAt", -1, MODIFIED),
        ("createdAt", 1e300, MODIFIED),
        ("createdAt", "yesterday", MODIFIED),
        ("sequenceIndex", 1.5, 1.5),
        ("sequenceIndex", 2**63 - 1, 2**63 - 1),
        ("sequenceIndex", 2**63, None),
        ("sequenceIndex", -(2**63), None),
        ("sequenceIndex", float("nan"), None),
        ("sequenceIndex", False, None),
        ("provider", "", None),
        ("provider", 7, None),
        ("provider", "echo", "echo"),
        ("format", "webp", "webp"),
        ("format", 7, "png"),
        ("mediaType", "video", "video"),
        ("mediaType", None, "image"),
    ],
)
def test_whatever_a_sidecar_says_its_row_is_one_that_clients_can_read(name: str, value: Any, shown: Any) -> None:
    row = row_of("a.png", {name: value}, MODIFIED)
    assert row[name] == shown
    assert type(row[name]) is type(shown)


def test_a_row_without_a_sidecar_has_every_field_all_the_same() -> None:
    bare, told = row_of("a.mp4", {}, MODIFIED), row_of("a.mp4", {"prompt": "a boat"}, MODIFIED)
    assert set(bare) == set(told)
    assert (bare["filename"], bare["url"], bare["mediaType"]) == ("a.mp4", "/generated/a.mp4", "video")
    assert (bare["userPrompt"], told["userPrompt"], told["prompt"]) == (None, "a boat", "a boat")
    assert ids_of(bare) == (MODIFIED, None, None)


def test_what_a_clip_of_a_series_showed_is_read_from_its_row() -> None:
    series = {"videoSeries": {"topic": "boats"}}
    assert series_text({**series, "revisedPrompt": "a red boat", "prompt": "a boat"}, "boats") == "a red boat"
    assert series_text({**series, "revisedPrompt": "", "prompt": "a boat"}, "boats") == "a boat"
    assert series_text(series, "boats") == ""
    assert series_text(series, "kites") is None
    assert series_text({"videoSeries": "boats"}, "boats") is None
