"""Sizes as xAI names them: an aspect ratio and a resolution.

Source: docs.x.ai, image generation (aspect ratios, ``1k`` and ``2k``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2", "19.5:9", "9:19.5", "20:9", "9:20")
NEWER_RATIOS = ("21:9", "5:2")
"""What 2.0 takes in addition (docs.x.ai image guide)."""
GROK_FORM = r"grok:[^\s]{0,60}"
"""What a size picker sends, ``grok:<ratio>:<1k|2k>``. Whatever follows ``grok:`` is taken: a ratio that xAI has not is
``auto``, a resolution that is not ``2k`` is ``1k``, and a notice says so."""
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


def parameters(size: str, ratios: Sequence[str] = RATIOS) -> dict[str, str]:
    """xAI's fields for a size: ``WxH``, ``auto``, empty, or ``grok:<ratio>:<1k|2k>``. ``ratios`` are the model's.

    Without a size only the ratio ``auto`` is sent. Pixels become the nearest ratio (by the logarithm, so that
    upright and lying sizes are treated alike) and ``2k`` from 2048 pixels or two megapixels on.
    """
    if size.startswith("grok:"):
        ratio, _, resolution = size.removeprefix("grok:").rpartition(":")
        return {
            "aspect_ratio": ratio if ratio in ratios else "auto",
            "resolution": "2k" if resolution == "2k" else "1k",
        }
    pixels = _PIXELS.fullmatch(size.strip())
    if not pixels:
        return {"aspect_ratio": "auto"}
    width, height = int(pixels[1]), int(pixels[2])
    large = max(width, height) >= _LARGE_EDGE or width * height >= _LARGE_AREA
    return {"aspect_ratio": nearest_ratio(width, height, ratios), "resolution": "2k" if large else "1k"}


def adjustment(size: str, ratios: Sequence[str] = RATIOS) -> str | None:
    """The size of the ``grok:`` form that is used instead of ``size``, ``None`` when it is used as it is."""
    if not size.startswith("grok:"):
        return None
    fields = parameters(size, ratios)
    used = f"grok:{fields['aspect_ratio']}:{fields['resolution']}"
    return None if used == size else used


def nearest_ratio(width: int, height: int, ratios: Sequence[str] = RATIOS) -> str:
    """The ratio closest to ``width`` by ``height``, of those that are taken."""
    wanted = math.log(width / height)
    return min(ratios, key=lambda ratio: abs(math.log(fraction(ratio)) - wanted))


def fraction(ratio: str) -> float:
    """``16:9`` as a number."""
    width, _, height = ratio.partition(":")
    return float(width) / float(height)
