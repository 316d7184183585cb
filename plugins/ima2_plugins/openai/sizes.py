"""Which sizes a drawing model takes, and which are nearest to one that it does not.

The rule of gpt-image-2 and later (OpenAI's image generation guide): edges are multiples of 16, the longest is at most
3840, the ratio is between 1:3 and 3:1, and there are 655,360 to 8,294,400 pixels. Outside, OpenAI answers 400.
"""

from __future__ import annotations

import math
import re

from ima2_plugins.openai.catalogue import DrawingModel

STEP = 16
MAX_EDGE = 3840
MAX_RATIO = 3
MIN_PIXELS, MAX_PIXELS = 655_360, 8_294_400
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")


def size_problem(size: str, drawing: DrawingModel) -> tuple[str, tuple[str, ...]] | None:
    """What is wrong with a size, as the end of a sentence, and the nearest sizes that are right; ``None`` if nothing.

    ``auto`` is always right; a text that is no size is left to the upstream.
    """
    match = _SIZE.fullmatch(size)
    if match is None:
        return None
    width, height = int(match[1]), int(match[2])
    if drawing.sizes:
        if size in drawing.sizes:
            return None
        return f"{drawing.id} draws {', '.join(drawing.sizes)} and nothing else", _listed(width, height, drawing.sizes)
    reason = _broken_rule(width, height)
    return (reason, nearest_sizes(width, height)) if reason else None


def _broken_rule(width: int, height: int) -> str | None:
    if width % STEP or height % STEP:
        return f"both edges must be multiples of {STEP}"
    if max(width, height) > MAX_EDGE:
        return f"the longest edge may have {MAX_EDGE} pixels"
    if max(width, height) > MAX_RATIO * min(width, height):
        return f"the ratio must be between 1:{MAX_RATIO} and {MAX_RATIO}:1"
    if not MIN_PIXELS <= width * height <= MAX_PIXELS:
        return f"there must be {MIN_PIXELS:,} to {MAX_PIXELS:,} pixels"
    return None


def nearest_sizes(width: int, height: int, count: int = 3) -> tuple[str, ...]:
    """The sizes nearest to one that breaks the rule, the nearest first."""
    wide, high = _within(max(width, 1), max(height, 1))
    found = [(across, down) for across in _around(wide) for down in _around(high) if _broken_rule(across, down) is None]
    found.sort(key=lambda one: abs(math.log(one[0] / wide)) + abs(math.log(one[1] / high)))
    return tuple(f"{across}x{down}" for across, down in found[:count])


def _within(width: int, height: int) -> tuple[float, float]:
    """The same picture brought within ratio, number of pixels and longest edge."""
    ratio = min(max(width / height, 1 / MAX_RATIO), MAX_RATIO)
    pixels = min(max(width * height, MIN_PIXELS), MAX_PIXELS)
    wide, high = math.sqrt(pixels * ratio), math.sqrt(pixels / ratio)
    shrink = min(1.0, MAX_EDGE / max(wide, high))
    return wide * shrink, high * shrink


def _around(edge: float) -> list[int]:
    middle = round(edge / STEP)
    return [step * STEP for step in range(max(1, middle - 4), middle + 5)]


def _listed(width: int, height: int, sizes: tuple[str, ...]) -> tuple[str, ...]:
    def distance(size: str) -> float:
        across, down = map(int, size.split("x"))
        return abs(math.log(across / down * max(height, 1) / max(width, 1)))

    return tuple(sorted(sizes, key=distance))
