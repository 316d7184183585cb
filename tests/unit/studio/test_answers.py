"""What a provider yields is checked; what it was paid for is kept."""

from __future__ import annotations

import math
from typing import Any

import pytest

import ima2
from ima2.media.decode import MediaError
from ima2.studio.answers import INVALID, Answers
from ima2.testing import EchoProvider, clip, picture

REQUEST = ima2.ImageRequest("a boat", "echo", count=2)


def answers(request: Any = REQUEST, **options: Any) -> Answers:
    return Answers(EchoProvider(), request, **options)


GOOD = [
    ima2.Phase("planning"),
    ima2.Progress(None),
    ima2.Progress(1),
    ima2.Partial(picture(), 3),
    ima2.Usage({"total": 3}, 1, 0.5, 1),
    ima2.Receipt("order-1", {"at": [1, 2, {"a": None}]}),
    ima2.Notice("ECHOED", "Only an echo.", {"n": 1}),
]


@pytest.mark.parametrize("update", GOOD, ids=lambda update: type(update).__name__)
def test_what_is_right_passes_as_it_is(update: Any) -> None:
    checked = answers()
    assert checked.check(update) is update
    assert checked.notices == []


BAD: list[Any] = [
    ima2.Phase("dreaming"),  # type: ignore[arg-type]
    ima2.Progress(1.2),
    ima2.Progress(math.nan),
    ima2.Progress("half"),  # type: ignore[arg-type]
    ima2.Partial(b"bytes"),  # type: ignore[arg-type]
    ima2.Partial(picture(), -1),
    ima2.Usage({"total": object()}),
    ima2.Usage(searches=-1),
    ima2.Usage(cost=math.inf),
    ima2.Usage(cost=-0.1),
    ima2.Usage(index=2),
    ima2.Receipt(""),
    ima2.Receipt("order", {1: "a"}),  # type: ignore[dict-item]
    ima2.Notice("ECHOED", None),  # type: ignore[arg-type]
    ima2.Failed(0, "no"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("update", BAD, ids=lambda update: type(update).__name__)
def test_what_is_not_usable_is_left_out_and_told_once(update: Any) -> None:
    checked = answers()
    assert [checked.check(update), checked.check(update)] == [None, None]
    assert [notice.code for notice in checked.notices] == [INVALID]


@pytest.mark.parametrize("update", [None, b"bytes", {"image": "x"}, picture(), ima2.Artifact], ids=lambda _: "")
def test_what_is_no_update_at_all_is_an_error(update: Any) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        answers().check(update)
    assert (caught.value.code, caught.value.status) == (INVALID, 502)


@pytest.mark.parametrize(
    ("given", "places"),
    [([0, 1], [0, 1]), ([1, 0], [1, 0]), ([0, 0], [0, 1]), ([7, 0], [0, 1]), ([True, 1], [0, 1]), ([-1, None], [0, 1])],
)
def test_every_result_gets_a_place_of_its_own(given: list[Any], places: list[int]) -> None:
    checked = answers()
    found = [checked.check(ima2.Artifact(picture(), index)) for index in given]
    assert [one.index for one in found if isinstance(one, ima2.Artifact)] == places
    assert bool(checked.notices) == (given not in ([0, 1], [1, 0]))


def test_more_results_than_asked_for_are_left_out_and_told() -> None:
    checked = answers()
    found = [checked.check(ima2.Artifact(picture(), index)) for index in range(3)]
    assert [one is None for one in found] == [False, False, True]
    assert "more results than asked for" in checked.notices[0].text


def test_a_picture_is_known_by_its_bytes_whatever_its_label() -> None:
    found = answers().check(ima2.Artifact(ima2.Picture(picture(media_type="image/webp").data, "image/png")))
    assert isinstance(found, ima2.Artifact)
    assert found.picture.media_type == "image/webp"


WHOLE = picture()
BROKEN = {
    "truncated": (ima2.Picture(WHOLE.data[:-20], "image/png"), "PICTURE_INCOMPLETE"),
    "no picture": (ima2.Picture(b"<html>no</html>" * 9, "image/png"), "PICTURE_INVALID"),
    "a clip": (clip(0.5), INVALID),
    "no Picture": (WHOLE.data, INVALID),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_result_that_is_not_whole_is_one_failure_with_its_bytes(name: str) -> None:
    given, code = BROKEN[name]
    found = answers().check(ima2.Artifact(given, 1))  # type: ignore[arg-type]
    assert isinstance(found, ima2.Failed)
    assert found.index == 1
    assert isinstance(found.error, ima2.Ima2Error)
    assert found.error.code == code
    if isinstance(given, ima2.Picture):
        assert isinstance(found.error, MediaError)
        assert found.error.data == given.data


def test_a_result_beyond_the_limit_is_a_failure() -> None:
    found = answers(max_bytes=10).check(ima2.Artifact(WHOLE))
    assert isinstance(found, ima2.Failed)
    assert "10 are allowed" in str(found.error)


def test_facts_that_are_no_json_or_are_the_kernels_are_left_out() -> None:
    facts = {"seed": 7, "prompt": "another", "set": {1}, "deep": {"a": math.nan}}
    checked = answers(reserved=frozenset({"prompt"}))
    found = checked.check(ima2.Artifact(WHOLE, facts=facts, url=7))  # type: ignore[arg-type]
    assert isinstance(found, ima2.Artifact)
    assert (found.facts, found.url) == ({"seed": 7}, None)
    assert len(checked.notices) == 2


def test_a_failure_of_one_carries_the_providers_error_or_counts_as_a_crash() -> None:
    own = ima2.Ima2Error("REFUSED", 400, "No.")
    found = [answers().check(ima2.Failed(0, error)) for error in (own, KeyError("secret"))]
    assert [one.error.code for one in found] == ["REFUSED", "PROVIDER_CRASHED"]  # type: ignore[union-attr]


def test_a_request_for_a_clip_takes_one_clip() -> None:
    checked = answers(ima2.VideoRequest("a boat", "film"))
    made = clip(0.5)
    first, second = (checked.check(ima2.Artifact(made)) for _ in range(2))
    assert isinstance(first, ima2.Artifact)
    assert second is None
