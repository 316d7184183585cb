"""Whom a request means, and what is told of what came differently."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ima2 import Artifact, Ima2Error, ImageRequest, Picture, Provider, TextRequest, TextResult, VideoRequest
from ima2.catalogue import ranked
from ima2.kernel.registry import Registry
from ima2.studio.artifacts import accept, differences
from ima2.studio.providers import image_provider, text_provider, video_provider
from ima2.testing import EchoProvider, FilmProvider, clip, picture


def one(base: type[Any] = EchoProvider, problem: str | None = None, **facts: Any) -> Any:
    """A provider that differs from its base in some facts."""
    able = {name: facts.pop(name) for name in ("code_prefix", "codes", "text") if name in facts}

    def says(self: Provider) -> str | None:
        return problem

    made = type(f"P{facts['id']}", (base,), {**facts, "problem": says})()
    made.capabilities = replace(made.capabilities, **able)
    return made


def of(*providers: Provider) -> Registry:
    return Registry(providers={provider.id: provider for provider in providers})


def refusal(choose: Any, *arguments: Any) -> tuple[str, int]:
    with pytest.raises(Ima2Error) as caught:
        choose(*arguments)
    return caught.value.code, caught.value.status


def test_they_are_shown_with_the_default_first_then_the_plain_ones_then_by_id() -> None:
    shown = ranked(of(one(id="z"), one(id="b", code_prefix=""), one(id="a"), one(id="y", is_default=True)))
    assert [provider.id for provider in shown] == ["y", "b", "a", "z"]


@pytest.mark.parametrize("name", [None, "", "auto"])
def test_unnamed_is_the_setting_else_the_one_that_says_so(name: Any) -> None:
    registry = of(one(id="a"), one(id="b", is_default=True))
    assert image_provider(registry, "", name).id == "b"
    assert image_provider(registry, "auto", name).id == "b"
    assert image_provider(registry, "a", name).id == "a"
    assert image_provider(registry, "b", "a").id == "a"


@pytest.mark.parametrize("count", [0, 2])
def test_without_exactly_one_default_a_provider_must_be_named(count: int) -> None:
    registry = of(*(one(id=name, is_default=number < count) for number, name in enumerate("ab")))
    assert refusal(image_provider, registry, "") == ("UNKNOWN_PROVIDER", 400)
    assert refusal(image_provider, registry, "", "x") == ("UNKNOWN_PROVIDER", 400)
    assert refusal(image_provider, registry, "", 7) == ("UNKNOWN_PROVIDER", 400)


def test_clips_are_made_by_the_setting_if_it_can_else_by_the_default_for_clips_else_by_the_only_one() -> None:
    film, other = FilmProvider(), one(FilmProvider, id="other", is_video_default=False)
    echo = EchoProvider()
    assert video_provider(of(echo, film, other), "other").id == "other"
    assert video_provider(of(echo, film, other), "echo").id == "film"
    assert video_provider(of(echo, other), "").id == "other"
    assert video_provider(of(echo, film, other), "", "other").id == "other"
    both = of(other, one(FilmProvider, id="third", is_video_default=False))
    assert refusal(video_provider, both, "") == ("VIDEO_PROVIDER_UNSUPPORTED", 400)
    assert refusal(video_provider, of(echo), "") == ("VIDEO_PROVIDER_UNSUPPORTED", 400)


@pytest.mark.parametrize(
    ("name", "code"),
    [("echo", "VIDEO_PROVIDER_UNSUPPORTED"), ("own", "OWN_NO_CLIPS"), ("x", "VIDEO_PROVIDER_UNSUPPORTED"), (7, None)],
)
def test_who_makes_no_clips_is_refused_with_its_own_code_if_it_has_one(name: Any, code: str | None) -> None:
    registry = of(FilmProvider(), EchoProvider(), one(id="own", codes={"VIDEO_UNSUPPORTED": "OWN_NO_CLIPS"}))
    assert refusal(video_provider, registry, "", name) == (code or "VIDEO_PROVIDER_UNSUPPORTED", 400)


class Talking(EchoProvider):
    async def text(self, request: TextRequest) -> TextResult:
        return TextResult("Yes.", "words")


def test_words_come_from_the_default_if_it_has_any_and_is_ready_else_from_the_first_that_is() -> None:
    mute, first, second = one(id="mute"), one(Talking, id="first"), one(Talking, id="second")
    broken = one(Talking, problem="No key.", id="broken")
    declared = one(id="declared", text=True)
    assert text_provider(of(mute, first, second), "second").id == "second"
    assert text_provider(of(mute, first, second), "mute").id == "first"
    assert text_provider(of(broken, second), "broken").id == "second"
    assert text_provider(of(mute, declared), "").id == "declared"
    assert text_provider(of(first, second), "first", "second").id == "second"
    assert text_provider(of(broken), "", "broken").id == "broken"
    assert refusal(text_provider, of(mute), "") == ("TEXT_UNSUPPORTED", 400)
    assert refusal(text_provider, of(broken), "") == ("TEXT_NOT_READY", 503)
    assert refusal(text_provider, of(mute), "", "mute") == ("ECHO_TEXT_UNSUPPORTED", 400)


# -- what came -----------------------------------------------------------------------------------------

ASKED = ImageRequest("a boat", "echo", "oil", quality="high")


@pytest.mark.parametrize(
    ("request_", "artifact", "used", "told"),
    [
        (ASKED, {}, {"model": "oil"}, []),
        (ASKED, {}, {"model": "ink"}, [("MODEL_DIFFERS", "model", "oil", "ink")]),
        (ASKED, {"model": "ink"}, {"model": "ink"}, []),
        (ASKED, {}, {"model": "oil", "quality": "high"}, []),
        (ASKED, {}, {"model": "oil", "quality": 7}, []),
        (ASKED, {}, {"model": "oil", "quality": "low"}, [("QUALITY_DIFFERS", "quality", "high", "low")]),
        (replace(ASKED, quality="auto"), {}, {"model": "oil", "quality": "low"}, []),
        (VideoRequest("a boat", "film", "f"), {}, {"model": "f", "quality": "low"}, []),
    ],
)
def test_what_was_asked_for_and_came_differently_is_told(
    request_: Any, artifact: dict[str, str], used: dict[str, Any], told: list[Any]
) -> None:
    found = differences(request_, Artifact(picture(), **artifact), used)  # type: ignore[arg-type]
    said = [(one.code, one.details["field"], one.details["requested"], one.details["used"]) for one in found]
    assert all(one.text.startswith(f"{one.details['field']} was asked") for one in found)
    assert said == told


async def test_a_picture_in_another_format_is_converted_where_the_provider_promises_formats() -> None:
    webp = Artifact(picture(media_type="image/webp"))
    kept, facts, notice = await accept(webp, ASKED, ("png", "webp"))
    assert (kept.media_type, kept.data[:4], facts, notice) == (
        "image/png",
        b"\x89PNG",
        {"converted_from": "webp"},
        None,
    )
    for formats in ((), ("webp",)):
        kept, facts, _ = await accept(webp, ASKED, formats)
        assert (kept, facts) == (webp.picture, {})
    same, facts, _ = await accept(webp, replace(ASKED, format="webp"), ("png", "webp"))
    assert (same, facts) == (webp.picture, {})


async def test_the_true_type_of_what_is_kept_is_what_its_bytes_say() -> None:
    kept, _, _ = await accept(Artifact(Picture(picture().data, "image/webp")), ASKED, ())
    assert kept.media_type == "image/png"
    kept, _, _ = await accept(Artifact(Picture(clip(0.5).data, "text/plain")), VideoRequest("a boat", "film"), ())
    assert kept == clip(0.5)


@pytest.mark.parametrize(
    ("request_", "data"),
    [(ASKED, b"nothing"), (ASKED, clip(0.5).data), (VideoRequest("a boat", "film"), picture().data)],
    ids=["nothing", "a clip", "a picture"],
)
async def test_what_is_of_another_kind_is_no_answer(request_: Any, data: bytes) -> None:
    with pytest.raises(Ima2Error) as caught:
        await accept(Artifact(Picture(data, "image/png")), request_, ())
    assert (caught.value.code, caught.value.status) == ("PROVIDER_ANSWER_INVALID", 502)


async def test_the_start_of_a_clip_is_cut_off_as_asked_or_it_is_kept_whole_with_a_notice() -> None:
    made, request = clip(2.0), VideoRequest("a boat", "film", trim_start=0.5)
    cut, facts, notice = await accept(Artifact(made), request, ())
    assert (cut.data != made.data, facts, notice) == (True, {"trimmed_seconds": 0.5}, None)
    whole, facts, notice = await accept(Artifact(made), replace(request, trim_start=60.0), ())
    assert (whole, facts) == (made, {})
    assert notice is not None
    assert notice.code == "STORYBOARD_NOT_TRIMMED"
