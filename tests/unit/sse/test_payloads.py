"""Which form of an event goes where."""

from __future__ import annotations

from typing import Any

import pytest

import ima2
from ima2_plugins.sse.payloads import addressed, generated_url, image_size, linked, without_pictures

BIG = ima2.Picture(b"x" * 2000, "image/png")
SMALL = ima2.Picture(b"x" * 700, "image/png")


def event(**data: Any) -> ima2.Event:
    return ima2.Event("done", "job", data)


@pytest.mark.parametrize(
    ("filename", "url"),
    [
        ("a.png", "/generated/a.png"),
        ("set one/ü & 100%.png", "/generated/set%20one/%C3%BC%20%26%20100%25.png"),
        ("it's(1)!*~.png", "/generated/it's(1)!*~.png"),
        ("a?b#c.png", "/generated/a%3Fb%23c.png"),
    ],
)
def test_an_address_is_encoded_segment_by_segment(filename: str, url: str) -> None:
    assert generated_url(filename) == url
    assert addressed(event(filename=filename))["url"] == url


def test_every_file_name_gets_an_address_and_the_job_comes_last() -> None:
    told = event(jobId="other", filename="a.png", images=[{"filename": "b.png"}, {"n": 1}])
    payload = addressed(told)
    assert payload == {
        "filename": "a.png",
        "url": "/generated/a.png",
        "images": [{"filename": "b.png", "url": "/generated/b.png"}, {"n": 1}],
        "jobId": "job",
    }
    assert list(payload)[-1] == "jobId"
    assert told.data["images"] == [{"filename": "b.png"}, {"n": 1}]


def test_an_address_that_is_there_stays() -> None:
    assert addressed(event(filename="n_1.png", url="/generated/elsewhere.png"))["url"] == "/generated/elsewhere.png"


def test_the_ring_leaves_out_long_images_and_says_so() -> None:
    payload = addressed(event(image=BIG, elapsed=1))
    assert without_pictures(payload) == {"elapsed": 1, "_imageOmitted": True, "jobId": "job"}
    assert list(without_pictures(payload))[-1] == "jobId"
    assert payload["image"] is BIG


def test_the_ring_leaves_out_long_images_of_a_list_too() -> None:
    payload = addressed(event(images=[{"image": BIG, "n": 1}, {"image": SMALL}, "odd"], count=2))
    assert without_pictures(payload) == {
        "images": [{"n": 1, "_imageOmitted": True}, {"image": SMALL}, "odd"],
        "count": 2,
        "_imageOmitted": True,
        "jobId": "job",
    }


@pytest.mark.parametrize(("length", "kept"), [(1000, True), (1001, False)])
def test_a_thousand_characters_is_the_limit(length: int, kept: bool) -> None:
    assert ("image" in without_pictures(addressed(event(image="x" * length)))) is kept


def test_the_ring_keeps_everything_else() -> None:
    payload = addressed(event(image=SMALL, prompt="p" * 5000))
    assert without_pictures(payload) == payload


def test_by_address_a_finished_picture_is_where_its_file_is() -> None:
    payload = addressed(event(image=BIG, filename="a.png", images=[{"image": BIG, "filename": "b.png"}]))
    expected = {
        "image": "/generated/a.png",
        "filename": "a.png",
        "images": [{"image": "/generated/b.png", "filename": "b.png", "url": "/generated/b.png"}],
        "url": "/generated/a.png",
        "jobId": "job",
    }
    assert linked(payload) == expected
    assert linked(without_pictures(payload)) == expected


def test_by_address_a_list_is_whole_again_after_the_ring() -> None:
    payload = addressed(event(images=[{"image": BIG, "filename": "b.png"}]))
    assert "_imageOmitted" not in linked(without_pictures(payload))
    mixed = addressed(event(images=[{"image": BIG, "filename": "b.png"}, {"image": BIG}]))
    assert linked(without_pictures(mixed))["_imageOmitted"] is True


def test_by_address_a_preview_is_where_the_shelf_says() -> None:
    payload = addressed(event(image=BIG, index=0))
    assert linked(payload, lambda _: "/previews/1") == {"image": "/previews/1", "index": 0, "jobId": "job"}
    assert linked(payload) == {"index": 0, "_imageOmitted": True, "jobId": "job"}


def test_an_event_without_image_gets_none() -> None:
    assert linked(addressed(event(filename="a.mp4"))) == {
        "filename": "a.mp4",
        "url": "/generated/a.mp4",
        "jobId": "job",
    }


def test_the_size_of_images_counts_bytes_and_characters() -> None:
    assert image_size(addressed(event(image=BIG, images=[{"image": "x" * 50}, {"n": 1}]))) == 2050
