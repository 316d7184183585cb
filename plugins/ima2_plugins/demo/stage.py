"""What a scene leaves behind for the figures, and where its light stands."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ima2_plugins.demo.canvas import Canvas
from ima2_plugins.demo.palette import Colour, Palette

Lamp = tuple[float, float, float]
"""Sun or moon: x, y and radius in pixels."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scene leaves for figures: the ground's height at x, their dark colour, and whether the ground is water."""

    ground: Callable[[float], float]
    lamp: Lamp
    horizon: float
    figures: Colour
    afloat: bool = False


def place_lamp(canvas: Canvas, colours: Palette, hour: float, horizon: float, size: float = 0.055) -> Lamp:
    """Where sun or moon stands: low at dawn and dusk, high at noon and at night."""
    x = canvas.rng.choice((0.3, 0.36, 0.62, 0.7)) + canvas.rng.uniform(-0.05, 0.05)
    height = 0.16 + 0.5 * abs(math.sin(hour * math.pi * 1.5)) if hour < 0.9 else 0.62
    radius = canvas.u * size * (1.0 if colours.night > 0.5 else 1.25)
    return (0.12 + 0.76 * x) * canvas.w, horizon * (1 - height * 0.92), radius
