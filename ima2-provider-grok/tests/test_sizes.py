"""Sizes, prices and prompts: data that has to be right."""

from __future__ import annotations

import re

import pytest

from ima2_provider_grok import prompts, sizes
from ima2_provider_grok.capabilities import capabilities
from ima2_provider_grok.settings import GrokSettings


@pytest.mark.parametrize(
    ("size", "ratio", "resolution"),
    [
        ("", "auto", None),
        ("auto", "auto", None),
        ("large", "auto", None),
        ("0x10", "auto", None),
        ("grok:19.5:9:2k", "19.5:9", "2k"),
        ("grok:16:9:1k", "16:9", "1k"),
        ("grok:5:4:2k", "auto", "2k"),
        ("grok:16:9:4k", "16:9", "1k"),
        ("1024x1024", "1:1", "1k"),
        ("1536x1024", "3:2", "1k"),
        ("1024x1536", "2:3", "1k"),
        ("1360x1024", "4:3", "1k"),
        ("1024x1360", "3:4", "1k"),
        ("1824x1024", "16:9", "1k"),
        ("1024x1824", "9:16", "1k"),
        ("2048x2048", "1:1", "2k"),
        ("2048x1152", "16:9", "2k"),
        ("1152x2048", "9:16", "2k"),
        ("3840x2160", "16:9", "2k"),
        ("2160x3840", "9:16", "2k"),
        ("1000x700", "3:2", "1k"),
        ("1500x1400", "1:1", "2k"),
        ("900x2000", "9:20", "1k"),
    ],
)
def test_a_size_becomes_a_ratio_and_a_resolution(size: str, ratio: str, resolution: str | None) -> None:
    expected = {"aspect_ratio": ratio} | ({"resolution": resolution} if resolution else {})
    assert sizes.parameters(size) == expected


def test_the_declared_form_takes_every_ratio_of_grok_and_nothing_like_it() -> None:
    (form,) = capabilities(GrokSettings()).sizes.forms
    assert all(re.fullmatch(form, f"grok:{ratio}:2k") for ratio in (*sizes.RATIOS, "auto"))
    assert all(re.fullmatch(form, size) for size in ("grok:1:1:4k", "grok:1:1", "grok:a:b:1k", "grok:"))
    assert not any(re.fullmatch(form, size) for size in ("1:1:1k", "grok", "grok:1:1:1k and more", f"grok:{'1' * 61}"))


@pytest.mark.parametrize(
    ("size", "used"),
    [
        ("grok:5:4:2k", "grok:auto:2k"),
        ("grok:16:9:4k", "grok:16:9:1k"),
        ("grok:1:1", "grok:auto:1k"),
        ("grok:", "grok:auto:1k"),
        ("grok:19.5:9:2k", None),
        ("grok:auto:1k", None),
        ("1000x700", None),
        ("auto", None),
    ],
)
def test_a_size_of_that_form_which_grok_has_not_is_named_with_the_one_used(size: str, used: str | None) -> None:
    assert sizes.adjustment(size) == used


def test_the_second_generation_has_further_ratios() -> None:
    wide = (*sizes.RATIOS, *sizes.NEWER_RATIOS)
    assert sizes.parameters("grok:21:9:2k") == {"aspect_ratio": "auto", "resolution": "2k"}
    assert sizes.parameters("grok:21:9:2k", wide) == {"aspect_ratio": "21:9", "resolution": "2k"}
    assert sizes.parameters("2100x900")["aspect_ratio"] == "20:9"
    assert sizes.parameters("2100x900", wide)["aspect_ratio"] == "21:9"


def test_defaults_follow_the_settings() -> None:
    able = capabilities(GrokSettings(default_image_model="grok-imagine-image-quality", planner_model="grok-5"))
    planner = able.option("plannerModel")
    assert able.default_model == "grok-imagine-image-quality"
    assert planner is not None
    assert planner.default == "grok-5"


def test_each_model_has_its_price() -> None:
    able = capabilities(GrokSettings())
    paid = {model.id for model in able.models if model.media != "text"}
    assert paid <= {price.model for price in able.prices}


def test_the_prompts_order_what_the_planner_has_to_do() -> None:
    assert "generate_image exactly once" in prompts.IMAGE_PLANNER
    assert "generate_video exactly once" in prompts.VIDEO_PLANNER
    assert prompts.sequence_prompt("x", 1, 1) == "x"
