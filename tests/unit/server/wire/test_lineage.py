"""What a clip remembers of those before it."""

from __future__ import annotations

from typing import Any

import pytest

from ima2.server.wire.lineage import continued, entry, hinted, in_series, stored


def add(number: int, facts: dict[str, Any] | None, parent: str | None) -> dict[str, Any]:
    """The sidecar of clip ``number`` that continues the one with ``facts``."""
    lineage = stored(facts, parent or "") if facts else None
    clip = entry(f"{number}.mp4", f"user {number}", f"revised {number}", number, "current")
    return {"videoContinuity": continued(lineage, clip, parent, "last" if parent else None)}


def test_a_first_clip_begins_a_lineage_of_its_own() -> None:
    assert add(1, None, None)["videoContinuity"] == {
        "lineageId": "lineage:1",
        "parentFilename": None,
        "sourceFrame": None,
        "maxEntries": 4,
        "retention": "keep-start-plus-latest-3",
        "entries": [
            {
                "id": "clip:1.mp4",
                "ordinal": 1,
                "role": "start",
                "filename": "1.mp4",
                "userPrompt": "user 1",
                "revisedPrompt": "revised 1",
                "createdAt": 1,
            }
        ],
    }


def test_the_start_and_the_latest_three_are_kept() -> None:
    facts = add(1, None, None)
    for number in range(2, 7):
        facts = add(number, facts, f"{number - 1}.mp4")
    kept = facts["videoContinuity"]
    assert kept["lineageId"] == "lineage:1"
    assert kept["parentFilename"] == "5.mp4"
    assert [(one["ordinal"], one["role"], one["filename"]) for one in kept["entries"]] == [
        (1, "start", "1.mp4"),
        (2, "ancestor", "4.mp4"),
        (3, "ancestor", "5.mp4"),
        (4, "current", "6.mp4"),
    ]


def test_a_provider_reads_the_last_one_as_the_parent() -> None:
    lineage = stored(add(2, add(1, None, None), "1.mp4"), "2.mp4")
    assert lineage is not None
    assert [one["role"] for one in lineage.entries_for_provider()] == ["start", "parent"]


@pytest.mark.parametrize(
    ("facts", "revised"),
    [({"revisedPrompt": "r", "prompt": "p"}, "r"), ({"prompt": "p"}, "p"), ({"revisedPrompt": " "}, None), ({}, None)],
)
def test_a_clip_without_a_lineage_is_one_by_its_prompt(facts: dict[str, Any], revised: str | None) -> None:
    lineage = stored(facts, "old.mp4")
    assert (lineage.entries[0]["revisedPrompt"] if lineage else None) == revised
    assert lineage is None or lineage.id == "lineage:old"


@pytest.mark.parametrize(
    "hint",
    [None, 7, "x", [], {}, {"entries": "x"}, {"entries": [1, {}, {"revisedPrompt": "  "}, {"revisedPrompt": 3}]}],
)
def test_a_hint_without_usable_entries_is_none(hint: Any) -> None:
    assert hinted(hint) is None


def test_a_hint_is_put_in_order() -> None:
    entries = [{"revisedPrompt": f"r{n}", "role": "current", "ordinal": 9, "filename": f"{n}.mp4"} for n in range(6)]
    lineage = hinted({"lineageId": "L", "entries": entries})
    assert lineage is not None
    assert lineage.id == "L"
    told = [(one["ordinal"], one["role"], one["revisedPrompt"]) for one in lineage.entries_for_provider()]
    assert told == [(1, "start", "r0"), (2, "ancestor", "r3"), (3, "ancestor", "r4"), (4, "parent", "r5")]


def test_a_series_is_told_before_the_prompt() -> None:
    assert in_series([], "now") == "now"
    told = in_series(["first", "second"], "now")
    assert "1. first\n2. second\n" in told
    assert told.endswith("now")


@pytest.mark.parametrize(("created", "kept"), [(5, 5), (True, 0), ("5", 0), (None, 0), (5.5, 0)])
def test_a_hint_of_a_client_is_taken_as_far_as_it_can_be_used(created: Any, kept: int) -> None:
    good = {"revisedPrompt": "a red boat", "filename": "f" * 300 + ".mp4", "createdAt": created}
    found = hinted({"lineageId": "l" * 400, "entries": [good, {"revisedPrompt": "  "}, {"filename": "x"}, 7]})
    assert found is not None
    assert found.id == "l" * 300
    (one,) = found.entries
    assert (one["createdAt"], one["filename"], one["userPrompt"]) == (kept, "f" * 240, "a red boat")
    nameless = hinted({"lineageId": "", "entries": [{"revisedPrompt": "a boat"}]})
    assert nameless is not None
    assert nameless.id == "lineage:client"
    unusable: list[Any] = [None, 7, {}, {"entries": {}}, {"entries": []}]
    assert [hinted(wrong) for wrong in unusable] == [None] * 5
