"""The sheet that is painted on: larger than the picture, so that edges become smooth when it is made smaller."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageOps

from ima2_plugins.demo.palette import Colour, mix

Point = tuple[float, float]
_EDGE = 178
"""The level of Pillow's radial gradient in the middle of an edge (it reaches 255 only in the corners)."""


class Canvas:
    """A sheet of ``w`` by ``h`` pixels; ``u`` is its shorter edge. ``detail`` is 0.6 (low), 1 or 1.5 (high)."""

    def __init__(self, size: tuple[int, int], seed: int, detail: float) -> None:
        self.w, self.h = size
        self.u = min(size)
        self.detail = detail
        self.rng = random.Random(seed)  # noqa: S311 - pictures, not secrets
        self.image = Image.new("RGB", size)
        self.draw = ImageDraw.Draw(self.image)

    def gradient(self, stops: Sequence[Colour], top: float = 0, bottom: float | None = None) -> None:
        """Fill the rows from ``top`` to ``bottom`` with colours that run into each other."""
        start, end = round(top), round(self.h if bottom is None else bottom)
        if end > start:
            self.image.paste(ramp(stops, (self.w, end - start)), (0, start))

    def shade(self, points: Sequence[Point], top: Colour, bottom: Colour, reach: float = 1.0) -> None:
        """Fill a polygon from its highest point down; ``bottom`` is reached after the part ``reach`` of its height."""
        first = max(0, math.floor(min(y for _, y in points)))
        last = min(self.h, math.ceil(max(y for _, y in points)) + 1)
        if last <= first:
            return
        mask = Image.new("L", (self.w, last - first))
        ImageDraw.Draw(mask).polygon([(x, y - first) for x, y in points], fill=255)
        stops = [top, bottom] if reach >= 1 else [top, *([bottom] * round(1 / reach))]
        self.image.paste(ramp(stops, mask.size), (0, first), mask)

    def glow(self, x: float, y: float, radius: float, tint: Colour, strength: float = 1.0) -> None:
        """Light around a point, strongest in the middle."""
        edge = max(2, round(2 * radius))
        mask = halo(round(255 * min(1.0, strength))).resize((edge, edge), Image.Resampling.BILINEAR)
        self.image.paste(tint, (round(x - edge / 2), round(y - edge / 2)), mask)

    def disc(self, x: float, y: float, radius: float, tint: Colour) -> None:
        """A filled circle."""
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tint)

    def mist(self, top: float, bottom: float, tint: Colour, strength: float) -> None:
        """A veil that thickens from ``top`` to ``bottom``."""
        first, last = max(0, round(top)), min(self.h, round(bottom))
        if last > first:
            mask = Image.linear_gradient("L").point([round(strength * level) for level in range(256)])
            self.image.paste(tint, (0, first), mask.resize((self.w, last - first)))

    def veil(self, tint: Colour, mask: Image.Image, at: tuple[int, int] = (0, 0)) -> None:
        """Colour laid on through a mask."""
        self.image.paste(tint, at, mask)

    def noise(self, size: tuple[int, int], cells: tuple[int, int], octaves: int = 4) -> Image.Image:
        """Clouds as grey levels: soft random fields of growing fineness, one over the other, spread to all levels."""
        work = max(8, size[0] // 4), max(8, size[1] // 4)
        field = Image.new("L", work, 128)
        for octave in reversed(range(octaves)):
            across, down = (min(512, cell << octave) for cell in cells)
            layer = Image.frombytes("L", (across, down), self.rng.randbytes(across * down))
            field = Image.blend(field, layer.resize(work, Image.Resampling.BICUBIC), 0.56)
        return ImageOps.autocontrast(field, cutoff=2).resize(size, Image.Resampling.BILINEAR)


def ramp(stops: Sequence[Colour], size: tuple[int, int]) -> Image.Image:
    """Rows of colour from the first stop to the last."""
    height = size[1]
    rows = bytearray()
    for row in range(height):
        place = row / max(1, height - 1) * (len(stops) - 1)
        index = min(int(place), len(stops) - 2)
        share = place - index
        rows += bytes(mix(stops[index], stops[index + 1], share * share * (3 - 2 * share) * 0.5 + share * 0.5))
    return Image.frombytes("RGB", (1, height), bytes(rows)).resize(size)


@cache
def halo(strength: int) -> Image.Image:
    """A soft round mask."""
    levels = [round(strength * (max(0.0, 1 - level / _EDGE)) ** 1.8) for level in range(256)]
    return Image.radial_gradient("L").point(levels)


def smooth(points: Sequence[Point], steps: int = 10) -> list[Point]:
    """A soft curve through points (Catmull-Rom)."""
    held = [points[0], *points, points[-1]]
    curve = []
    for before, start, end, after in zip(held, held[1:], held[2:], held[3:], strict=False):
        for step in range(steps):
            t = step / steps
            curve.append(
                (_spline(before[0], start[0], end[0], after[0], t), _spline(before[1], start[1], end[1], after[1], t))
            )
    return [*curve, points[-1]]


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
