"""What a job's record looks like in the database."""

from __future__ import annotations

import orjson

from ima2.jobs.rows import to_json
from ima2.models import Link, Picture


def test_a_picture_is_never_written_into_the_record() -> None:
    picture = Picture(b"\x89PNG" * 100_000, "image/png")
    text = to_json({"image": picture, "images": [{"image": picture, "url": "/generated/a.png"}]})
    assert orjson.loads(text) == {"image": None, "images": [{"image": None, "url": "/generated/a.png"}]}


def test_other_typed_values_are_written_by_their_fields() -> None:
    assert orjson.loads(to_json({"source": Link("https://x.example/1"), 7: {"a"}})) == {
        "source": {"url": "https://x.example/1"},
        "7": "{'a'}",
    }


def test_what_json_cannot_hold_is_written_as_text() -> None:
    assert orjson.loads(to_json({"a": "half \ud800", "picture": Picture(b"x", "image/png")}))["picture"] is None
    assert to_json({"a": 2**80}) == f'{{"a": {2**80}}}'
