"""Sizes as xAI names them: an aspect ratio and a resolution.

Source: docs.x.ai, image generation (aspect ratios, ``1k`` and ``2k``).
"""

from __future__ import annotations

import math
import re

RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2", "19.5:9", "9:19.5", "20:9", "9:20")
GROK_FORM = r"grok:[0-9.]{1,6}:[0-9.]{1,6}:(?:1k|2k)|grok:auto:(?:1k|2k)"
LISTED = (
    "1024x1024",
    "1536x1024",
    "1024x1536",
    "1360x1024",
    "1024x1360",
    "1824x1024",
    "1024x1824",
    "2048x2048",
    "2048x1152",
    "1152x2048",
    "3840x2160",
    "2160x3840",
)
_LARGE_EDGE, _LARGE_AREA = 2048, 2_000_000
_PIXELS = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})", re.IGNORECASE)


def parameters(size: str) -> dict[str, str]:
    """xAI's fields for a size: ``WxH``, ``auto``, empty, or ``grok:<ratio>:<1k|2k>``.

    Without a size only the ratio ``auto`` is sent. Pixels become the nearest ratio (by the logarithm, so that
    upright and lying sizes are treated alike) and ``2k`` from 2048 pixels or two megapixels on.
    """
    if size.startswith("grok:"):
        ratio, _, resolution = size.removeprefix("grok:").rpartition(":")
        return {
            "aspect_ratio": ratio if ratio in RATIOS else "auto",
            "resolution": "2k" if resolution == "2k" else "1k",
        }
    pixels = _PIXELS.fullmatch(size.strip())
    if not pixels:
        return {"aspect_ratio": "auto"}
    width, height = int(pixels[1]), int(pixels[2])
    large = max(width, height) >= _LARGE_EDGE or width * height >= _LARGE_AREA
    return {"aspect_ratio": nearest_ratio(width, height), "resolution": "2k" if large else "1k"}


def nearest_ratio(width: int, height: int) -> str:
    """The supported ratio closest to ``width`` by ``height``."""
    wanted = math.log(width / height)
    return min(RATIOS, key=lambda ratio: abs(math.log(fraction(ratio)) - wanted))


def fraction(ratio: str) -> float:
    """``16:9`` as a number."""
    width, _, height = ratio.partition(":")
    return float(width) / float(height)
