"""Which sizes are drawn, and which are named in place of others."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.unit.openai.conftest import Api
from tests.upstreams.asking import draw, failure
from tests.upstreams.responses_checks import image_tool
from tests.upstreams.world import World, picture

import ima2
from ima2_plugins.openai.capabilities import LISTED_SIZES
from ima2_plugins.openai.catalogue import drawing_model
from ima2_plugins.openai.sizes import nearest_sizes, size_problem

NEW, OLD = drawing_model("gpt-image-2"), drawing_model("gpt-image-1.5")
PNG = ima2.Picture(picture(), "image/png")


@pytest.mark.parametrize(
    "size", [*LISTED_SIZES, "auto", "640x1024", "3840x1280", "1280x3840", "816x816", "grok:1:1:1k"]
)
def test_sizes_by_the_rule_are_right(size: str) -> None:
    assert size_problem(size, NEW) is None


@pytest.mark.parametrize(
    ("size", "word"),
    [
        ("1000x700", "multiples of 16"),
        ("512x512", "pixels"),
        ("800x816", "pixels"),
        ("3840x2176", "pixels"),
        ("3856x1600", "longest edge"),
        ("2048x640", "ratio"),
        ("16x0", "ratio"),
    ],
)
def test_a_size_outside_the_rule_is_answered_with_the_rule_and_sizes_that_are_right(size: str, word: str) -> None:
    problem = size_problem(size, NEW)
    assert problem is not None
    assert word in problem[0]
    assert len(problem[1]) == 3
    assert all(size_problem(one, NEW) is None for one in problem[1])


@pytest.mark.parametrize(
    ("size", "nearest"),
    [((512, 512), "816x816"), ((1000, 700), "1008x704"), ((1030, 1024), "1024x1024"), ((3856, 1600), "3840x1600")],
)
def test_the_nearest_size_is_the_first(size: tuple[int, int], nearest: str) -> None:
    assert nearest_sizes(*size)[0] == nearest


def test_there_is_always_a_nearest_size_and_it_is_always_right() -> None:
    chance = random.Random(7)
    for _ in range(400):
        width, height = (int(10 ** chance.uniform(0, 5)) for _ in range(2))
        found = nearest_sizes(width, height)
        assert found
        assert all(size_problem(one, NEW) is None for one in found)


def test_older_drawing_models_have_three_sizes() -> None:
    assert size_problem("1536x1024", OLD) is None
    problem = size_problem("1920x1088", OLD)
    assert problem is not None
    assert problem[1][0] == "1536x1024"


async def test_a_size_that_cannot_be_drawn_is_refused_before_anything_is_sent(api: Api, openai: World) -> None:
    error = await failure(api(), size="512x512")
    assert (error.code, error.status) == ("INVALID_SIZE", 400)
    assert error.details["nearest"][0] == "816x816"
    assert "816x816" in error.text
    assert openai.seen == []


async def test_the_sizes_are_those_of_the_drawing_model_asked_for(api: Api, openai: World) -> None:
    error = await failure(api(), size="2048x2048", options={"drawingModel": "gpt-image-1-mini"})
    assert error.code == "INVALID_SIZE"
    await draw(api(drawing_model="gpt-image-1-mini"), size="1536x1024")
    (call,) = openai.calls("/responses")
    assert (image_tool(call.body) or {})["model"] == "gpt-image-1-mini"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"quality": "max"}, "INVALID_QUALITY"),
        ({"options": {"inputFidelity": "high"}}, "INVALID_OPTION"),
        ({"format": "jpeg", "options": {"background": "transparent"}}, "INVALID_OPTION"),
        ({"options": {"compression": 50}}, "INVALID_OPTION"),
        ({"format": "webp", "options": {"compression": 101}}, "INVALID_OPTION"),
        ({"format": "webp", "options": {"compression": 0.5}}, "INVALID_OPTION"),
        ({"options": {"reasoningEffort": "max"}}, "INVALID_REASONING_EFFORT"),
        ({"model": "gpt-5.5", "options": {"reasoningEffort": "minimal"}}, "INVALID_REASONING_EFFORT"),
    ],
)
async def test_what_openai_would_refuse_is_refused_here(
    api: Api, openai: World, fields: dict[str, Any], code: str
) -> None:
    error = await failure(api(), **fields)
    assert (error.code, error.status) == (code, 400)
    assert openai.seen == []


async def test_every_option_goes_to_its_field_of_the_tool(api: Api, openai: World) -> None:
    options = {
        **{"drawingModel": "gpt-image-2.6-sunburst", "background": "opaque", "compression": 0, "complexity": "high"},
        **{"reasoningEffort": "max"},
    }
    await draw(api(), model="gpt-6-sol", quality="xhigh", format="webp", options=options)
    (call,) = openai.calls("/responses")
    tool = image_tool(call.body) or {}
    assert (tool["model"], tool["quality"]) == ("gpt-image-2.6-sunburst", "xhigh")
    assert (tool["background"], tool["output_compression"], tool["complexity"]) == ("opaque", 0, "high")
    assert call.body["reasoning"] == {"effort": "max"}


async def test_input_fidelity_is_for_the_drawing_models_that_take_it(api: Api, openai: World) -> None:
    options = {"drawingModel": "gpt-image-1.5", "inputFidelity": "high"}
    await draw(api(), source=PNG, options=options)
    (call,) = openai.calls("/responses")
    assert (image_tool(call.body) or {})["input_fidelity"] == "high"
