"""Fields of a body, read one by one: what counts as absent, what is taken, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.painter import PNG

from ima2 import Ima2Error
from ima2.server.wire.body import Body, integer
from ima2.server.wire.gallery_inputs import clip_name, sidecar_facts, stored_clip
from ima2.server.wire.image_body import inserted_prompts
from ima2.server.wire.multimode import _base36
from ima2.server.wire.references import read_references
from ima2.server.wire.video_body import whole_seconds
from ima2.server.wire.video_edit import summary_of_url
from ima2.testing import FilmProvider, MemoryStorage, clip


def refused(read: Any, *given: Any, **more: Any) -> tuple[str, int]:
    with pytest.raises(Ima2Error) as caught:
        read(*given, **more)
    return caught.value.code, caught.value.status


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3),
        (2.9, 2),
        (-2.9, -2),
        ("7", 7),
        (" +7.9 ", 7),
        ("-7", -7),
        ("1234567890", None),
        ("123456789", 123456789),
        (1e12, None),
        (1e12 - 1, 999_999_999_999),
        (-1e12, None),
        (float("nan"), None),
        ("", None),
        ("7a", None),
        (True, None),
        (None, None),
        ([7], None),
    ],
)
def test_the_whole_part_of_a_number_counts_and_nothing_else(value: Any, number: int | None) -> None:
    assert integer(value) == number


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, 5), ("", 5), (2, 2), (10, 10), ("7", 7), (" 7 ", 7), (7.0, 7), ("0007", 7)]
)
def test_seconds_are_whole_as_a_number_or_as_text(value: Any, seconds: int) -> None:
    assert whole_seconds(value, 5, 2, 10, FilmProvider()) == seconds


@pytest.mark.parametrize("value", [1, 11, 2.5, "2.5", "x", True, [], -7, "1234567", float("inf"), float("nan")])
def test_seconds_that_are_none_have_the_providers_code(value: Any) -> None:
    assert refused(whole_seconds, value, 5, 2, 10, FilmProvider()) == ("FILM_VIDEO_DURATION_INVALID", 400)


def test_a_text_may_have_lines_and_tabs_and_so_many_characters() -> None:
    body = Body({"a": "x\ty\nz\r", "b": "x" * 5, "none": None, "empty": "", "c": "\x07", "d": 7, "e": "a\ud800"})
    assert body.text("a", limit=9, code="BAD") == "x\ty\nz\r"
    assert body.text("b", limit=5, code="BAD") == "x" * 5
    assert [body.text(name, limit=5, code="BAD") for name in ("none", "empty", "missing")] == [None, None, None]
    for name, limit in (("b", 4), ("c", 9), ("d", 9), ("e", 9)):
        assert refused(body.text, name, limit=limit, code="BAD") == ("BAD", 400)


def test_a_flag_is_true_or_false_or_absent() -> None:
    body = Body({"yes": True, "no": False, "none": None, "one": 1})
    assert [body.flag(name, default=True) for name in ("yes", "no", "none", "missing")] == [True, False, True, True]
    assert body.flag("missing", default=False) is False
    assert refused(body.flag, "one", default=True) == ("INVALID_FLAG", 400)


def test_building_blocks_that_are_incomplete_are_left_out_and_long_ones_cut() -> None:
    whole = {"id": "1", "name": "light", "text": "x" * 32_001, "placement": "after", "more": 1}
    found = inserted_prompts([whole, {"id": "2", "name": "n"}, 7, {**whole, "id": 3}, {**whole, "placement": "top"}])
    assert found == [
        {"id": "1", "name": "light", "text": "x" * 32_000, "placement": "after"},
        {"id": "1", "name": "light", "text": "x" * 32_000, "placement": "before"},
    ]
    assert len(inserted_prompts([whole] * 101)) == 100
    assert inserted_prompts("x") == []


def test_references_may_be_just_so_many_and_just_so_long() -> None:
    fits = read_references([PNG, f"data:image/jpeg;base64,{PNG}"], max_count=2, max_chars=len(PNG))
    assert fits.counts == {
        "refsCount": 2,
        "referenceBytes": 2 * len(fits.pictures[0].data),
        "referenceB64Chars": 2 * len(PNG),
    }
    assert {one.media_type for one in fits.pictures} == {"image/png"}
    assert read_references(None, max_count=0, max_chars=0).counts["refsCount"] == 0
    assert refused(read_references, [PNG] * 3, max_count=2, max_chars=len(PNG)) == ("REF_TOO_MANY", 400)
    assert refused(read_references, [PNG], max_count=2, max_chars=len(PNG) - 1) == ("REF_TOO_LARGE", 400)


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (35, "z"), (36, "10"), (1_795_000_000_000, "mwm0nk74")])
def test_numbers_are_written_in_base_36(number: int, text: str) -> None:
    assert _base36(number) == text
    assert int(text, 36) == number


@pytest.mark.parametrize(("value", "name"), [("a.mp4", "a.mp4"), (" /generated/a.mp4 ", "a.mp4"), ("A.MP4", "A.MP4")])
def test_a_clip_is_named_as_such_or_by_its_address(value: str, name: str) -> None:
    assert clip_name(value) == name


@pytest.mark.parametrize("value", ["", None, 7, "a/b.mp4", "..mp4", "a\\b.mp4", "a.png", "/etc/a.mp4", ".a.mp4"])
def test_what_is_no_name_of_a_clip_is_refused(value: Any) -> None:
    assert refused(clip_name, value) == ("VIDEO_MODE_INVALID", 400)


async def test_a_clip_of_the_gallery_is_found_unless_it_is_missing_or_too_large(monkeypatch: Any) -> None:
    storage, made = MemoryStorage(), clip(0.5)
    await storage.put("a.mp4", made.data)
    monkeypatch.setattr("ima2.server.wire.gallery_inputs.MAX_CLIP", len(made.data))
    assert await stored_clip(storage, "a.mp4") == made
    monkeypatch.setattr("ima2.server.wire.gallery_inputs.MAX_CLIP", len(made.data) - 1)
    for key, expected in (("a.mp4", ("VIDEO_INVALID", 400)), ("b.mp4", ("VIDEO_NOT_FOUND", 404))):
        with pytest.raises(Ima2Error) as caught:
            await stored_clip(storage, key)
        assert (caught.value.code, caught.value.status) == expected


async def test_a_sidecar_that_cannot_be_read_says_nothing() -> None:
    storage = MemoryStorage()
    for name, data in (("a", b'{"a": 1}'), ("b", b"[1]"), ("c", b"{")):
        await storage.put(f"{name}.mp4.json", data)
    assert [await sidecar_facts(storage, f"{name}.mp4") for name in "abcd"] == [{"a": 1}, {}, {}, {}]


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("https://user:secret@c.example:8443/deep/a.mp4?token=secret#x", "https://c.example:8443", "a.mp4"),
        ("https://c.example", "https://c.example", ""),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url: str, origin: str, path: str) -> None:
    assert summary_of_url(url) == {"kind": "url", "origin": origin, "pathname": path}
