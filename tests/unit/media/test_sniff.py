"""A file is what its first bytes say, and parts may bring further types."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ima2
from ima2.media import sniff
from ima2.media.sniff import EXTENSIONS, MEDIA_TYPES, register_format


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers is known in that test only."""
    before = dict(EXTENSIONS), dict(MEDIA_TYPES)
    monkeypatch.setattr(sniff, "_formats", {})
    yield
    for known, earlier in zip((EXTENSIONS, MEDIA_TYPES), before, strict=True):
        known.clear()
        known.update(earlier)


AVIF = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"


def test_a_still_picture_in_boxes_is_no_clip() -> None:
    assert ima2.media_type_of(AVIF) is None
    assert ima2.media_type_of(AVIF.replace(b"avif", b"heic")) is None
    assert ima2.media_type_of(AVIF.replace(b"avif", b"isom")) == "video/mp4"


def test_a_type_that_a_part_brings_is_known_from_then_on() -> None:
    register_format(ima2.MediaFormat("image/avif", ("avif", "avifs"), lambda data: data[4:11] == b"ftypavi"))
    assert ima2.media_type_of(AVIF) == "image/avif"
    assert (EXTENSIONS["image/avif"], MEDIA_TYPES["avif"], MEDIA_TYPES["avifs"]) == ("avif", "image/avif", "image/avif")
    assert ima2.decode_media(AVIF) == ima2.Picture(AVIF, "image/avif")


def test_nothing_known_is_taken_over() -> None:
    register_format(ima2.MediaFormat("image/png", ("gif",), lambda data: True))
    register_format(ima2.MediaFormat("image/other", ("png", "oth"), lambda data: data.startswith(b"OTHER")))
    assert MEDIA_TYPES["png"] == "image/png"
    assert "gif" not in MEDIA_TYPES
    assert ima2.media_type_of(b"OTHER") == "image/other"
    assert ima2.media_type_of(b"nothing") is None


def test_a_part_that_fails_to_recognise_harms_no_one() -> None:
    register_format(ima2.MediaFormat("image/bad", ("bad",), lambda data: bool(1 / 0)))
    assert ima2.media_type_of(b"anything") is None
