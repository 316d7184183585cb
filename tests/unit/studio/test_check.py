"""What a provider declares is what it is asked for; the rest is refused before it costs anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ima2 import (
    Capabilities,
    Ima2Error,
    ImageRequest,
    Model,
    Option,
    Picture,
    Provider,
    Sizes,
    VideoModes,
    VideoRequest,
)
from ima2.capabilities import Price
from ima2.studio.check import check_images, check_option, check_options, check_prompt, check_video, takes_size
from ima2.testing import EchoProvider, FilmProvider, picture

PICTURE = picture()
MODE = Option("mode", "choice", "How", default="auto", values=("auto", "direct"), error_code="INVALID_MODE")
NUMBER = Option("steps", "number", "How many", default=4, min=2, max=8, integer=True)


def provider(**able: Any) -> Provider:
    made = EchoProvider()
    made.capabilities = replace(EchoProvider.capabilities, **able)
    return made


def asked(**fields: Any) -> ImageRequest:
    return ImageRequest(**{"prompt": "a boat", "provider": "echo", **fields})


def refused(request: Any, by: Provider) -> str:
    with pytest.raises(Ima2Error) as caught:
        (check_video if isinstance(request, VideoRequest) else check_images)(request, by)
    assert caught.value.status == 400
    return caught.value.code


# -- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ["", "  \n\t"])
def test_a_prompt_that_says_nothing_is_refused(prompt: str) -> None:
    assert refused(asked(prompt=prompt), provider()) == "PROMPT_REQUIRED"


def test_half_a_surrogate_pair_is_no_text() -> None:
    for half in (0xD800, 0xDBFF, 0xDC00, 0xDFFF):
        assert refused(asked(prompt=f"a {chr(half)} boat"), provider()) == "INVALID_PROMPT"
    check_prompt("a \ud7ff\ue000 boat")


# -- models ------------------------------------------------------------------------------------------

MODELS = (Model("small"), Model("gone", supported=False), Model("film", media="video"))


def test_the_default_model_is_used_where_none_is_named() -> None:
    assert check_images(asked(), provider(models=MODELS, default_model="small")).request.model == "small"


@pytest.mark.parametrize(
    ("model", "code"), [("gone", "ECHO_MODEL_UNSUPPORTED"), ("film", "ECHO_MODEL_INVALID"), ("x", "ECHO_MODEL_INVALID")]
)
def test_a_model_that_makes_no_pictures_here_is_refused_with_the_providers_code(model: str, code: str) -> None:
    assert refused(asked(model=model), provider(models=MODELS)) == code


def test_a_model_nobody_declared_goes_through_on_demand_and_the_answer_says_so() -> None:
    checked = check_images(asked(model="new", any_model=True), provider(models=MODELS))
    assert checked.request.model == "new"
    assert [one.code for one in checked.notices] == ["MODEL_UNKNOWN"]
    assert refused(asked(model="gone", any_model=True), provider(models=MODELS)) == "ECHO_MODEL_UNSUPPORTED"


def test_a_provider_with_one_model_and_one_size_says_what_it_takes_instead() -> None:
    one = provider(fixed={"model": "only", "size": "512x512"}, default_model="", models=(Model("only"),))
    checked = check_images(asked(model="other", size="9x9"), one)
    assert isinstance(checked.request, ImageRequest)
    assert (checked.request.model, checked.request.size) == ("only", "512x512")
    assert [(note.code, note.details["normalized_to"]) for note in checked.notices] == [
        ("MODEL_FIXED", "only"),
        ("SIZE_FIXED", "512x512"),
    ]
    for fields in ({"model": "only", "size": "512x512"}, {"size": ""}):
        assert check_images(asked(**fields), one).notices == []


# -- sizes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "taken"),
    [
        ("16x16", True),
        ("100x99", True),
        ("auto", True),
        ("15x16", False),
        ("16x15", False),
        ("101x99", False),
        ("99x101", False),
        ("axb", False),
        ("64x64x64", False),
        (" 64x64", False),
    ],
)
def test_free_sizes_are_taken_from_sixteen_pixels_up_to_the_largest_edge(size: str, taken: bool) -> None:
    assert takes_size(Sizes((), free=True, max_edge=100), size) is taken


@pytest.mark.parametrize(
    ("size", "taken"), [("64x64", True), ("64x65", False), ("auto", False), ("wide:2k", True), ("wide:2kk", False)]
)
def test_listed_sizes_and_forms_are_taken_whole_and_nothing_else(size: str, taken: bool) -> None:
    assert takes_size(Sizes(("64x64",), auto=False, forms=("wide:[12]k",)), size) is taken


def test_a_model_with_sizes_of_its_own_is_asked_for_those() -> None:
    own = provider(models=(Model("echo-1"), Model("tiny", sizes=Sizes(("64x64",), auto=False))), default_size="96x96")
    assert check_images(asked(model="tiny", size="64x64"), own).request.size == "64x64"  # type: ignore[union-attr]
    assert check_images(asked(model="echo-1", size=""), own).request.size == "96x96"  # type: ignore[union-attr]
    assert refused(asked(model="tiny", size="128x128"), own) == "INVALID_SIZE"


# -- looks and options ---------------------------------------------------------------------------------


def test_a_quality_is_one_of_the_models_else_of_its_provider() -> None:
    own = provider(models=(Model("echo-1"), Model("fast", qualities=("draft",)), Model("plain", qualities=())))
    quality = {
        (model, sent): check_images(asked(model=model, quality=sent), own).request.quality  # type: ignore[union-attr]
        for model, sent in (("echo-1", "high"), ("fast", "draft"), ("fast", "medium"), ("fast", ""), ("plain", "any"))
    }
    assert list(quality.values()) == ["high", "draft", "draft", "draft", "any"]
    assert refused(asked(model="fast", quality="high"), own) == "INVALID_QUALITY"
    assert refused(asked(quality="best"), own) == "INVALID_QUALITY"


def test_a_moderation_is_one_of_the_providers() -> None:
    strict = provider(moderations=("strict",))
    for sent in ("", "low", "strict"):
        assert check_images(asked(moderation=sent), strict).request.moderation == "strict"  # type: ignore[union-attr]
    assert refused(asked(moderation="auto"), strict) == "INVALID_MODERATION"
    assert check_images(asked(moderation="any"), provider(moderations=())).request.moderation == "any"  # type: ignore[union-attr]


def test_options_that_are_not_given_have_their_default_and_unknown_ones_are_refused() -> None:
    able = Capabilities(options=(MODE, NUMBER))
    assert check_options(able, {"steps": 8}) == {"mode": "auto", "steps": 8}
    with pytest.raises(Ima2Error) as caught:
        check_options(able, {"seed": 7})
    assert caught.value.code == "UNKNOWN_OPTION"
    assert "mode, steps" in caught.value.text


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        (MODE, ["auto", "direct"], ["", "other", None, 1, ["auto"]]),
        (Option("on", "flag", ""), [True, False], [0, 1, "true", None]),
        (Option("words", "text", ""), ["", "x" * 4000], ["x" * 4001, 1, None]),
        (NUMBER, [2, 8, 5.0], [1, 9, 2.5, "4", True, None]),
        (Option("free", "number", ""), [0, -5, 2.5, 2**53 - 1], [2**53, -(2**53), float("nan"), float("inf")]),
        (Option("low", "number", "", min=1), [1, 10**9], [0.9]),
        (Option("high", "number", "", max=1), [1, -(10**9)], [1.1]),
        (Option("rows", "list", ""), [[], [{}] * 64], [[{}] * 65, [1], {}, "x"]),
    ],
    ids=lambda one: one.name if isinstance(one, Option) else "",
)
def test_a_value_fits_what_the_option_declares_or_has_the_options_code(
    option: Option, good: list[Any], bad: list[Any]
) -> None:
    for value in good:
        assert check_option(option, value) == value
    for value in bad:
        with pytest.raises(Ima2Error) as caught:
            check_option(option, value)
        assert (caught.value.code, caught.value.status) == (option.error_code, 400)
        assert option.name in caught.value.text


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (MODE, "one of: auto, direct"),
        (NUMBER, "a whole number from 2 up to 8"),
        (Option("n", "number", "", min=0), "a number from 0"),
        (Option("n", "number", "", max=0.5), "a number up to 0.5"),
        (Option("n", "flag", ""), "a flag"),
    ],
)
def test_the_refusal_says_what_would_be_taken(option: Option, said: str) -> None:
    with pytest.raises(Ima2Error) as caught:
        check_option(option, object())
    assert caught.value.text == f"{option.name} must be {said}"


# -- inputs and counts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("able", "fields", "code"),
    [
        ({"edit": False}, {"source": PICTURE}, "ECHO_EDIT_UNSUPPORTED"),
        ({"mask": False}, {"source": PICTURE, "mask": PICTURE}, "ECHO_MASK_UNSUPPORTED"),
        ({"max_references": 2}, {"references": (PICTURE,) * 3}, "ECHO_REF_TOO_MANY"),
        ({"max_references": 2}, {"references": (PICTURE,) * 2, "source": PICTURE}, "ECHO_REF_TOO_MANY"),
        ({"sequence": 0}, {"sequence": 1}, "ECHO_SEQUENCE_UNSUPPORTED"),
        ({"sequence": 3}, {"sequence": 4}, "INVALID_SEQUENCE"),
        ({"max_count": 3}, {"count": 4}, "INVALID_COUNT"),
        ({}, {"count": 0}, "INVALID_COUNT"),
        ({}, {"sequence": -1}, "INVALID_SEQUENCE"),
        ({"partials": 2}, {"partials": 3}, "INVALID_PARTIALS"),
        ({"partials": 0}, {"partials": 1}, "INVALID_PARTIALS"),
        ({}, {"partials": -1}, "INVALID_PARTIALS"),
        ({"media": ("video",)}, {}, "ECHO_IMAGE_UNSUPPORTED"),
    ],
)
def test_what_is_beyond_the_declaration_is_refused(able: dict[str, Any], fields: dict[str, Any], code: str) -> None:
    assert refused(asked(**fields), provider(**able)) == code


@pytest.mark.parametrize(
    ("able", "fields"),
    [
        ({"max_references": 2}, {"references": (PICTURE,) * 2}),
        ({"max_references": 2}, {"references": (PICTURE,), "source": PICTURE}),
        ({"max_references": 2, "source_is_extra": True}, {"references": (PICTURE,) * 2, "source": PICTURE}),
        ({"max_references": 0}, {"source": PICTURE}),
        ({"sequence": 3}, {"sequence": 3}),
        ({"sequence": 1}, {"sequence": 1}),
        ({"max_count": 3}, {"count": 3}),
        ({"partials": 2}, {"partials": 2}),
    ],
)
def test_what_is_just_within_the_declaration_is_taken(able: dict[str, Any], fields: dict[str, Any]) -> None:
    checked = check_images(asked(**fields), provider(**able)).request
    assert {name: getattr(checked, name) for name in fields} == fields


def test_a_model_that_takes_other_numbers_of_references_than_its_provider_is_asked_for_those() -> None:
    own = provider(models=(Model("echo-1"), Model("more", max_references=3), Model("none", max_references=0)))
    own.capabilities = replace(own.capabilities, max_references=1)
    assert check_images(asked(model="more", references=(PICTURE,) * 3), own)
    assert refused(asked(model="more", references=(PICTURE,) * 4), own) == "ECHO_REF_TOO_MANY"
    assert refused(asked(model="none", references=(PICTURE,)), own) == "ECHO_REF_TOO_MANY"
    assert refused(asked(references=(PICTURE,) * 2), own) == "ECHO_REF_TOO_MANY"


# -- clips -------------------------------------------------------------------------------------------


def clip_of(**fields: Any) -> VideoRequest:
    return VideoRequest(**{"prompt": "a boat", "provider": "film", **fields})


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"prompt": " "}, "PROMPT_REQUIRED"),
        ({"mode": "dream"}, "FILM_VIDEO_MODE_INVALID"),
        ({"mode": "text", "duration": 0}, "FILM_VIDEO_DURATION_INVALID"),
        ({"mode": "text", "duration": 16}, "FILM_VIDEO_DURATION_INVALID"),
        ({"mode": "reference", "duration": 11}, "FILM_VIDEO_DURATION_INVALID"),
        ({"mode": "extend", "duration": 1}, "FILM_VIDEO_DURATION_INVALID"),
        ({"resolution": "1080p"}, "FILM_VIDEO_RESOLUTION_INVALID"),
        ({"aspect_ratio": "2:1"}, "FILM_VIDEO_ASPECT_RATIO_INVALID"),
        ({"references": (PICTURE,) * 8}, "FILM_VIDEO_REF_TOO_MANY"),
        ({"model": "film-3"}, "FILM_VIDEO_MODEL_INVALID"),
        ({"model": "film-2", "mode": "edit"}, "FILM_VIDEO_MODEL_INVALID"),
        ({"options": {"seed": 1}}, "UNKNOWN_OPTION"),
    ],
)
def test_a_clip_beyond_the_declaration_is_refused(fields: dict[str, Any], code: str) -> None:
    assert refused(clip_of(**fields), FilmProvider()) == code


@pytest.mark.parametrize(
    "fields",
    [
        {"duration": 1},
        {"duration": 15},
        {"mode": "reference", "duration": 10, "references": (PICTURE,) * 7},
        {"mode": "extend", "duration": 2},
        {"mode": "extend", "duration": 10},
        {"model": "film-2", "resolution": "720p", "aspect_ratio": "1:1"},
    ],
)
def test_a_clip_just_within_the_declaration_is_taken(fields: dict[str, Any]) -> None:
    checked = check_video(clip_of(**fields), FilmProvider()).request
    assert {name: getattr(checked, name) for name in fields} == fields


def test_a_mode_that_is_limited_to_some_models_takes_the_default_or_the_first_of_them() -> None:
    film = FilmProvider()
    modes = VideoModes(
        ("text", "edit"), {}, ("480p",), ("auto",), models={"text": ("film-1", "film-2"), "edit": ("film-2",)}
    )
    film.capabilities = replace(film.capabilities, video=modes)
    assert [check_video(clip_of(mode=mode), film).request.model for mode in ("text", "edit")] == ["film-1", "film-2"]
    unknown = check_video(clip_of(mode="edit", model="film-9", any_model=True), film)
    assert (unknown.request.model, [one.code for one in unknown.notices]) == ("film-9", ["MODEL_UNKNOWN"])


def test_a_provider_of_pictures_makes_no_clips() -> None:
    assert refused(clip_of(provider="echo"), provider()) == "ECHO_VIDEO_UNSUPPORTED"


# -- prices ------------------------------------------------------------------------------------------

PRICES = (
    Price("echo-1", "image", 0.02, quality="low"),
    Price("echo-1", "image", 0.08, quality="high"),
    Price("echo-1", "image", 0.000011, quality="auto"),
    Price("echo-1", "input-image", 0.01),
    Price("film-1", "second", 0.05, resolution="480p"),
    Price("film-1", "second", 0.07, resolution="720p"),
)


@pytest.mark.parametrize(
    ("fields", "usd"),
    [
        ({"quality": "low"}, 0.02),
        ({"quality": "high", "count": 3}, 0.24),
        ({"quality": "low", "sequence": 4}, 0.08),
        ({"quality": "low", "references": (PICTURE,) * 2}, 0.04),
        ({"quality": "low", "references": (PICTURE,), "source": PICTURE}, 0.04),
        ({"quality": "medium"}, None),
        ({"quality": "auto", "count": 3}, 0.000033),
    ],
)
def test_the_price_of_a_request_follows_from_the_list(fields: dict[str, Any], usd: float | None) -> None:
    assert check_images(asked(**fields), provider(prices=PRICES, qualities=())).estimate == usd


@pytest.mark.parametrize(("resolution", "usd"), [("480p", 0.3), ("720p", 0.42)])
def test_the_price_of_a_clip_follows_from_its_seconds(resolution: str, usd: float) -> None:
    film = FilmProvider()
    film.capabilities = replace(film.capabilities, prices=PRICES)
    assert check_video(clip_of(duration=6, resolution=resolution), film).estimate == usd


def test_a_picture_is_handed_on_untouched() -> None:
    checked = check_images(asked(references=(PICTURE,)), provider()).request
    assert isinstance(checked.references[0], Picture)
    assert checked.references[0].data == PICTURE.data
