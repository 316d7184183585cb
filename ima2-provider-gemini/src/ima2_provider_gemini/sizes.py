"""From ``WxH`` to what Google takes, an aspect ratio and a size by name, and from pixels back to that name."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import ima2

from .catalogue import EDGES, ImageModel

TOLERANCE = 0.03
"""How far, relatively, a drawn ratio may be from the one asked for without a word about it."""


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What is asked of Google; both ``None`` leaves the choice to the model. ``notice`` says what is not as wished."""

    ratio: str | None = None
    size: str | None = None
    notice: ima2.Notice | None = None


def image_config(wanted: str, model: ImageModel) -> ImageConfig:
    """The nearest shape that the model can draw.

    ``auto`` (or nothing) lets the model choose. The ratio is the one with the smallest difference of width/height, the
    size goes by the longer side. Raises 400 ``INVALID_SIZE`` for what is no ``WxH``.
    """
    if wanted in ("", "auto"):
        return ImageConfig()
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", wanted)
    if match is None:
        raise ima2.Ima2Error("INVALID_SIZE", 400, "The size must be auto, or width x height in pixels like 1024x1024.")
    width, height = int(match[1]), int(match[2])
    ratio = min(model.ratios, key=lambda name: abs(_quotient(name) - width / height))
    size = next((name for name in model.sizes if max(width, height) <= EDGES[name]), model.sizes[-1])
    return ImageConfig(ratio, size, _notice(width, height, ratio, size))


def size_name(width: int, height: int) -> str:
    """Google's name of the size that a picture has: a size is an area, whatever the ratio (1K is about 1024 x 1024)."""
    edge = math.sqrt(width * height)
    return min(EDGES, key=lambda name: abs(math.log(edge / EDGES[name])))


def _quotient(ratio: str) -> float:
    across, down = map(int, ratio.split(":"))
    return across / down


def _notice(width: int, height: int, ratio: str, size: str) -> ima2.Notice | None:
    """A warning when the picture will be visibly other than asked for: another ratio, or larger or smaller."""
    reasons = []
    if abs(_quotient(ratio) * height / width - 1) > TOLERANCE:
        reasons.append("ratio-unavailable")
    edge = max(width, height)
    if edge > EDGES[size] or (size == "1K" and edge <= EDGES["512"]):
        reasons.append("size-unavailable")
    if not reasons:
        return None
    details = {"field": "size", "normalizedTo": f"{ratio} {size}", "reason": ",".join(reasons)}
    return ima2.Notice("SIZE_ADJUSTED", f"The model draws {ratio} at {size}, the nearest it has.", details)
