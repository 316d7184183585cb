"""A request is written down and read back as it was, its pictures too."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ima2 import ImageRequest, Label, Link, Picture, VideoRequest
from ima2.studio import request_json
from ima2.testing import MemoryStorage, clip, picture

LABEL = Label(
    "j/1", "node", "s_1", "n_0", "c_1", "browser", "2026", "{id}", {"a": 1}, {"b": [2]}, "view", {"c": None}, [{"d": 4}]
)
RED, BLUE = picture(color="#ff0000"), picture(color="#0000ff", media_type="image/webp")
IMAGE = ImageRequest(
    "a boat",
    "echo",
    "echo-1",
    "512x512",
    "high",
    "webp",
    "auto",
    (RED, Link("https://pictures.example/a.png"), BLUE),
    BLUE,
    RED,
    True,
    3,
    2,
    1,
    {"mode": "direct", "deep": {"a": [1]}},
    True,
)
VIDEO = VideoRequest(
    "a boat", "film", "film-2", "edit", 7, "720p", "16:9", RED, (BLUE,), clip(0.5), {"storyboard": True}, True, 1.5
)


async def read_back(request: Any) -> tuple[Any, Label]:
    storage = MemoryStorage()
    stored = json.loads(json.dumps(request_json.dump("j/1", request, LABEL)))
    for key, data in request_json.pictures("j/1", request).items():
        await storage.put(key, data)
    plain, label = request_json.parse(stored)
    assert plain.references == ()
    return await request_json.with_inputs(plain, stored, storage), label


@pytest.mark.parametrize(
    "request_",
    [
        IMAGE,
        VIDEO,
        ImageRequest("a boat", "echo"),
        VideoRequest("a boat", "film"),
        replace(IMAGE, source=Link("https://pictures.example/b.png"), mask=None),
        replace(VIDEO, clip=Link("https://clips.example/a.mp4"), source=None, references=()),
    ],
    ids=["image", "video", "plain image", "plain video", "source by link", "clip by link"],
)
async def test_what_was_asked_is_read_back_as_it_was(request_: Any) -> None:
    found, label = await read_back(request_)
    assert found == request_
    assert label == LABEL


async def test_the_bytes_of_pictures_are_not_in_the_record() -> None:
    dumped = request_json.dump("j/1", IMAGE, LABEL)
    assert len(json.dumps(dumped)) < 2000


def test_every_picture_has_a_name_of_its_own_that_no_id_can_lead_astray() -> None:
    there = request_json.pictures("../../etc", IMAGE)
    assert sorted(there.values()) == sorted([BLUE.data, RED.data, RED.data, BLUE.data])
    assert all(key.startswith(".jobs/") and ".." not in key for key in there)
    assert not set(there) & set(request_json.pictures("another", IMAGE))


async def test_a_picture_that_is_gone_is_a_key_error() -> None:
    stored = request_json.dump("j", IMAGE, LABEL)
    plain, _ = request_json.parse(stored)
    with pytest.raises(KeyError):
        await request_json.with_inputs(plain, stored, MemoryStorage())


def test_what_a_later_version_wrote_beside_it_is_passed_over() -> None:
    stored = request_json.dump("j", VideoRequest("a boat", "film"), LABEL)
    stored["request"]["invented"] = 1
    stored["label"]["invented"] = 1
    assert request_json.parse(stored) == (VideoRequest("a boat", "film"), LABEL)


@pytest.mark.parametrize("stored", [{}, {"media": "sound", "request": {}, "label": {}}, {"media": "image"}])
def test_what_is_not_complete_is_a_key_error(stored: Any) -> None:
    with pytest.raises(KeyError):
        request_json.parse(stored)


def test_without_a_prompt_there_is_no_request() -> None:
    with pytest.raises(TypeError):
        request_json.parse({"media": "image", "request": {"provider": "echo"}, "label": {}})


def test_the_kind_of_a_picture_is_read_back_too() -> None:
    dumped = request_json.dump("j", replace(IMAGE, references=()), LABEL)["request"]
    assert (dumped["source"]["type"], dumped["mask"]["type"]) == ("image/webp", "image/png")
    assert isinstance(IMAGE.source, Picture)
