"""Any ``WxH`` becomes a ratio and a size that the model can draw; what differs visibly is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.upstreams.asking import draw, only, sent
from tests.upstreams.world import World

import ima2
from ima2_provider_gemini.catalogue import CAPABILITIES, NANO_BANANA_2, NANO_BANANA_PRO
from ima2_provider_gemini.provider import GeminiProvider
from ima2_provider_gemini.sizes import ImageConfig, image_config


@pytest.mark.parametrize(
    ("size", "ratio", "name"),
    [
        ("512x512", "1:1", "512"),
        ("1024x1024", "1:1", "1K"),
        ("1536x1024", "3:2", "2K"),
        ("1024x1536", "2:3", "2K"),
        ("2048x2048", "1:1", "2K"),
        ("3840x2160", "16:9", "4K"),
        ("1376x768", "16:9", "2K"),
        ("1584x672", "21:9", "2K"),
        ("512x64", "8:1", "512"),
        ("256x1024", "1:4", "1K"),
    ],
)
def test_a_size_becomes_the_nearest_ratio_and_a_step(size: str, ratio: str, name: str) -> None:
    assert image_config(size, NANO_BANANA_2) == ImageConfig(ratio, name, None)


@pytest.mark.parametrize("size", ["auto", ""])
def test_auto_leaves_the_choice_to_the_model(size: str) -> None:
    assert image_config(size, NANO_BANANA_2) == ImageConfig(None, None, None)


@pytest.mark.parametrize(
    ("entry", "size", "used", "reason"),
    [
        (NANO_BANANA_PRO, "512x512", "1:1 1K", "size-unavailable"),
        (NANO_BANANA_PRO, "2048x512", "21:9 2K", "ratio-unavailable"),
        (NANO_BANANA_2, "8192x8192", "1:1 4K", "size-unavailable"),
        (NANO_BANANA_2, "1000x900", "1:1 1K", "ratio-unavailable"),
        (NANO_BANANA_PRO, "64x512", "9:16 1K", "ratio-unavailable,size-unavailable"),
    ],
)
def test_what_cannot_be_drawn_as_asked_is_said(entry: object, size: str, used: str, reason: str) -> None:
    notice = image_config(size, entry).notice  # type: ignore[arg-type]
    assert notice is not None
    assert notice.code == "SIZE_ADJUSTED"
    assert notice.details == {"field": "size", "normalizedTo": used, "reason": reason}


@pytest.mark.parametrize("size", ["0x512", "512", "512x512x512", "-1x5", "1e3x5", "１２x５", "999999x1"])
def test_anything_else_is_refused(size: str) -> None:
    with pytest.raises(ima2.Ima2Error, match="width x height"):
        image_config(size, NANO_BANANA_2)


def test_every_listed_size_is_drawn_as_it_says() -> None:
    found = {(one.ratio, one.size) for one in (image_config(size, NANO_BANANA_2) for size in CAPABILITIES.sizes.listed)}
    assert len(found) == len(CAPABILITIES.sizes.listed) == 40
    assert all(image_config(size, NANO_BANANA_2).notice is None for size in CAPABILITIES.sizes.listed)


@pytest.mark.parametrize(
    ("model", "size", "usd"),
    [
        ("nano-banana-2", "512x512", 0.045),
        ("nano-banana-2", "auto", 0.067),
        ("nano-banana-2", "4096x4096", 0.151),
        ("nano-banana-pro", "1024x1024", 0.134),
        ("nano-banana-pro", "4096x2304", 0.240),
    ],
)
@pytest.mark.parametrize("door", ["key", "vertex"])
async def test_both_doors_take_the_size_and_name_the_price(
    make: Callable[..., GeminiProvider], world: World, account: str, model: str, size: str, usd: float, door: str
) -> None:
    provider = make(api_key=None, service_account=account) if door == "vertex" else make()
    updates = await draw(provider, model=model, size=size)
    wanted = image_config(size, {"nano-banana-2": NANO_BANANA_2, "nano-banana-pro": NANO_BANANA_PRO}[model])
    config = sent(world).body["generationConfig"].get("imageConfig")
    assert config == ({"aspectRatio": wanted.ratio, "imageSize": wanted.size} if wanted.ratio else None)
    assert only(updates, ima2.Usage).cost == usd
    facts = {"aspectRatio": wanted.ratio, "imageSize": wanted.size} if wanted.ratio else {}
    assert only(updates, ima2.Artifact).facts == facts


async def test_a_picture_that_differs_comes_with_one_warning(provider: GeminiProvider) -> None:
    updates = await draw(provider, model="nano-banana-pro", size="512x512", count=2)
    assert only(updates, ima2.Notice).code == "SIZE_ADJUSTED"
