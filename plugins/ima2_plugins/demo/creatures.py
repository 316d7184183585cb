"""Small figures as silhouettes, each from a few ellipses, polygons and tapered strokes.

Places are in units of the figure's height, ``y`` upwards from the ground.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ima2_plugins.demo.canvas import Canvas, Point, smooth
from ima2_plugins.demo.palette import Colour, mix


class Figure:
    """A pen for one figure standing at a point, ``size`` pixels tall; ``side`` mirrors it."""

    def __init__(self, canvas: Canvas, foot: Point, size: float, colours: tuple[Colour, Colour], side: int = 1) -> None:
        self._canvas, self._foot, self._size, self._side = canvas, foot, size, side
        self.dark, self.bright = colours

    def at(self, point: Point) -> Point:
        """A place of the figure in pixels."""
        return self._foot[0] + point[0] * self._size * self._side, self._foot[1] - point[1] * self._size

    def oval(self, x: float, y: float, wide: float, high: float, tint: Colour | None = None) -> None:
        """An ellipse by its middle and half axes."""
        left, top = self.at((x, y))
        across, down = wide * self._size, high * self._size
        self._canvas.draw.ellipse((left - across, top - down, left + across, top + down), fill=tint or self.dark)

    def shape(self, *points: Point, tint: Colour | None = None, soft: bool = False) -> None:
        """A polygon, its corners rounded when ``soft``."""
        outline = smooth([*points, points[0]], 8) if soft else list(points)
        self._canvas.draw.polygon([self.at(point) for point in outline], fill=tint or self.dark)

    def twins(self, *points: Point, tint: Colour | None = None) -> None:
        """A polygon and its mirror image."""
        self.shape(*points, tint=tint)
        self.shape(*((-x, y) for x, y in points), tint=tint)

    def stroke(self, points: list[Point], start: float, middle: float, end: float, tint: Colour | None = None) -> None:
        """A curve whose half width goes from ``start`` over ``middle`` to ``end``."""
        curve = smooth(points, 14)
        for number, (x, y) in enumerate(curve):
            share = number / (len(curve) - 1)
            edge = start + (end - start) * share
            radius = edge + (middle - (start + end) / 2) * math.sin(math.pi * share)
            self.oval(x, y, radius, radius, tint=tint)


def cat(pen: Figure) -> None:
    """Sitting, seen from behind."""
    pen.stroke([(0.12, 0.07), (0.4, 0.05), (0.47, 0.26), (0.38, 0.4)], 0.045, 0.045, 0.03)
    pen.shape((-0.2, 0), (-0.22, 0.2), (-0.13, 0.5), (0, 0.6), (0.13, 0.5), (0.22, 0.2), (0.2, 0), soft=True)
    pen.oval(0, 0.66, 0.165, 0.145)
    pen.twins((-0.16, 0.66), (-0.155, 0.92), (-0.03, 0.78))


def dog(pen: Figure) -> None:
    """Sitting, with hanging ears."""
    pen.stroke([(0.12, 0.06), (0.34, 0.1), (0.42, 0.28)], 0.05, 0.04, 0.02)
    pen.shape((-0.2, 0), (-0.2, 0.25), (-0.13, 0.55), (0.13, 0.55), (0.2, 0.25), (0.2, 0), soft=True)
    pen.oval(0, 0.7, 0.165, 0.17)
    pen.stroke([(-0.1, 0.83), (-0.22, 0.76), (-0.21, 0.56)], 0.05, 0.075, 0.05)
    pen.stroke([(0.1, 0.83), (0.22, 0.76), (0.21, 0.56)], 0.05, 0.075, 0.05)


def fox(pen: Figure) -> None:
    """Sitting, with its brush beside it."""
    pen.stroke([(0.1, 0.08), (0.4, 0.03), (0.56, 0.22), (0.5, 0.5)], 0.05, 0.12, 0.02)
    pen.stroke([(0.535, 0.36), (0.5, 0.5)], 0.075, 0.05, 0.015, tint=mix(pen.dark, pen.bright, 0.75))
    pen.shape((-0.17, 0), (-0.19, 0.2), (-0.1, 0.52), (0.1, 0.52), (0.19, 0.2), (0.17, 0), soft=True)
    pen.shape((-0.25, 0.62), (0, 0.44), (0.25, 0.62), (0.13, 0.77), (-0.13, 0.77))
    pen.twins((-0.21, 0.64), (-0.19, 1.0), (-0.03, 0.76))


def rabbit(pen: Figure) -> None:
    """Upright, ears apart."""
    pen.oval(0.2, 0.12, 0.085, 0.085, tint=mix(pen.dark, pen.bright, 0.8))
    pen.oval(0, 0.23, 0.215, 0.23)
    pen.oval(0, 0.52, 0.15, 0.14)
    pen.stroke([(-0.06, 0.6), (-0.11, 0.82), (-0.09, 1.0)], 0.035, 0.055, 0.03)
    pen.stroke([(0.06, 0.6), (0.13, 0.8), (0.17, 0.96)], 0.035, 0.055, 0.03)


def bear(pen: Figure) -> None:
    """Sitting, broad."""
    pen.shape((-0.3, 0), (-0.34, 0.25), (-0.22, 0.62), (0, 0.7), (0.22, 0.62), (0.34, 0.25), (0.3, 0), soft=True)
    pen.oval(0, 0.76, 0.2, 0.175)
    pen.oval(-0.155, 0.9, 0.07, 0.07)
    pen.oval(0.155, 0.9, 0.07, 0.07)


def owl(pen: Figure) -> None:
    """Eyes wide open."""
    pen.shape((-0.12, 0), (-0.24, 0.3), (-0.2, 0.66), (0, 0.8), (0.2, 0.66), (0.24, 0.3), (0.12, 0), soft=True)
    pen.twins((-0.21, 0.6), (-0.22, 0.95), (-0.05, 0.78))
    for side in (-0.095, 0.095):
        pen.oval(side, 0.65, 0.08, 0.08, tint=pen.bright)
        pen.oval(side, 0.65, 0.04, 0.04)
    pen.shape((-0.03, 0.58), (0.03, 0.58), (0, 0.5), tint=pen.bright)


def penguin(pen: Figure) -> None:
    """Standing, from the front."""
    pen.stroke([(-0.17, 0.6), (-0.27, 0.42), (-0.25, 0.24)], 0.03, 0.055, 0.02)
    pen.stroke([(0.17, 0.6), (0.27, 0.42), (0.25, 0.24)], 0.03, 0.055, 0.02)
    pen.shape((-0.14, 0), (-0.21, 0.3), (-0.16, 0.66), (0.16, 0.66), (0.21, 0.3), (0.14, 0), soft=True)
    pen.oval(0, 0.78, 0.14, 0.15)
    pen.oval(0, 0.32, 0.125, 0.27, tint=mix(pen.bright, (255, 255, 255), 0.6))
    pen.shape((-0.035, 0.77), (0.035, 0.77), (0, 0.71), tint=(245, 170, 70))


def deer(pen: Figure) -> None:
    """Standing, from the side, with antlers."""
    for x, bend in ((-0.22, -0.02), (-0.16, 0.03), (0.1, -0.02), (0.17, 0.02)):
        pen.stroke([(x, 0.42), (x + bend, 0.2), (x, 0)], 0.035, 0.018, 0.014)
    pen.oval(-0.03, 0.45, 0.25, 0.115)
    pen.stroke([(0.14, 0.47), (0.22, 0.6), (0.28, 0.72)], 0.085, 0.05, 0.045)
    pen.stroke([(0.26, 0.74), (0.33, 0.73), (0.4, 0.7)], 0.055, 0.05, 0.025)
    pen.stroke([(0.24, 0.78), (0.18, 0.82)], 0.02, 0.022, 0.008)
    for branch in (
        [(0.28, 0.78), (0.24, 0.9), (0.3, 1.03)],
        [(0.25, 0.88), (0.17, 0.93), (0.15, 1.0)],
        [(0.3, 0.78), (0.37, 0.87), (0.36, 1.0)],
        [(0.35, 0.86), (0.43, 0.9), (0.45, 0.98)],
    ):
        pen.stroke(branch, 0.014, 0.013, 0.007)
    pen.shape((-0.27, 0.5), (-0.33, 0.42), (-0.25, 0.44))


def whale(pen: Figure) -> None:
    """The fluke of one that dives."""
    pen.shape((-0.09, -0.05), (-0.07, 0.35), (-0.03, 0.62), (0.03, 0.62), (0.07, 0.35), (0.13, -0.05), soft=False)
    pen.shape((0, 0.58), (-0.2, 0.66), (-0.5, 0.94), (-0.3, 0.93), (-0.06, 0.8), (0, 0.72), soft=True)
    pen.shape((0, 0.58), (0.2, 0.66), (0.5, 0.94), (0.3, 0.93), (0.06, 0.8), (0, 0.72), soft=True)
    for x in (-0.2, 0.22):
        pen.stroke(
            [(x * 0.4, 0.0), (x, 0.05), (x * 1.6, 0.0)], 0.008, 0.012, 0.004, tint=mix(pen.dark, pen.bright, 0.7)
        )


def boat(pen: Figure) -> None:
    """With two sails."""
    pen.shape((-0.01, 0.1), (0.012, 0.1), (0.012, 1.0), (-0.01, 1.0))
    sail = mix(pen.bright, (255, 255, 255), 0.55)
    pen.shape((0.03, 0.2), (0.04, 0.97), (0.22, 0.6), (0.34, 0.2), tint=mix(sail, pen.dark, 0.1))
    pen.shape((-0.03, 0.2), (-0.03, 0.9), (-0.14, 0.55), (-0.28, 0.22), tint=mix(sail, pen.dark, 0.28))
    pen.shape((-0.36, 0.14), (0.4, 0.14), (0.3, 0), (-0.26, 0))


def balloon(pen: Figure) -> None:
    """Striped, with a basket."""
    stripes = (pen.bright, mix(pen.bright, (255, 255, 255), 0.7), mix(pen.bright, pen.dark, 0.35))
    for number, wide in enumerate((0.33, 0.22, 0.09)):
        tint = stripes[number]
        pen.oval(0, 0.67, wide, 0.34, tint=tint)
        pen.shape((-wide, 0.6), (wide, 0.6), (wide * 0.27, 0.27), (-wide * 0.27, 0.27), tint=tint)
    for x in (-0.07, 0.07):
        pen.stroke([(x, 0.28), (x * 0.75, 0.12)], 0.006, 0.006, 0.006)
    pen.shape((-0.065, 0.13), (0.065, 0.13), (0.05, 0), (-0.05, 0))


def lighthouse(pen: Figure) -> None:
    """Red and white, on a rock."""
    pen.shape((-0.42, 0), (-0.3, 0.07), (-0.2, 0.06), (-0.12, 0.13), (0.12, 0.13), (0.2, 0.08), (0.33, 0.05), (0.44, 0))
    wall = mix(pen.bright, (255, 255, 255), 0.65)
    for number in range(5):
        low, high = 0.1 + number * 0.13, 0.1 + (number + 1) * 0.13
        left, right = 0.11 - low * 0.06, 0.11 - high * 0.06
        band = ((-left, low), (left, low), (right, high), (-right, high))
        pen.shape(*band, tint=mix(wall, pen.dark, 0.3) if number % 2 else (196, 74, 66))
    pen.shape((-0.095, 0.75), (0.095, 0.75), (0.095, 0.775), (-0.095, 0.775))
    pen.shape((-0.05, 0.775), (0.05, 0.775), (0.05, 0.88), (-0.05, 0.88), tint=(255, 240, 180))
    pen.shape((-0.08, 0.88), (0.08, 0.88), (0, 1.0))


def castle(pen: Figure) -> None:
    """Four towers and a gate."""
    for x, wide, high in ((-0.3, 0.08, 0.5), (-0.12, 0.1, 0.72), (0.1, 0.12, 0.6), (0.31, 0.075, 0.46)):
        pen.shape((x - wide, -0.1), (x + wide, -0.1), (x + wide, high), (x - wide, high))
        pen.shape(
            (x - wide * 1.2, high), (x + wide * 1.2, high), (x, high + wide * 2.7), tint=mix(pen.dark, pen.bright, 0.22)
        )
        pen.shape(
            (x - 0.016, high - 0.13),
            (x + 0.016, high - 0.13),
            (x + 0.016, high - 0.07),
            (x - 0.016, high - 0.07),
            tint=pen.bright,
        )
    pen.shape((-0.4, -0.1), (0.4, -0.1), (0.4, 0.26), (-0.4, 0.26))
    for x in range(-4, 5):
        pen.shape((x / 10 - 0.028, 0.25), (x / 10 + 0.028, 0.25), (x / 10 + 0.028, 0.3), (x / 10 - 0.028, 0.3))
    pen.shape((-0.05, -0.05), (-0.05, 0.1), (0, 0.16), (0.05, 0.1), (0.05, -0.05), tint=pen.bright)


def cabin(pen: Figure) -> None:
    """With lit windows and a chimney."""
    pen.shape((0.16, 0.5), (0.26, 0.5), (0.26, 0.82), (0.16, 0.82))
    pen.shape((-0.38, -0.05), (0.38, -0.05), (0.38, 0.42), (-0.38, 0.42))
    pen.shape((-0.5, 0.4), (0.5, 0.4), (0, 0.86), tint=mix(pen.dark, pen.bright, 0.14))
    pen.shape((-0.05, 0), (0.1, 0), (0.1, 0.28), (-0.05, 0.28), tint=mix(pen.dark, pen.bright, 0.3))
    for x in (-0.28, 0.18):
        pen.shape((x, 0.14), (x + 0.13, 0.14), (x + 0.13, 0.3), (x, 0.3), tint=(255, 218, 130))


def rocket(pen: Figure) -> None:
    """On its way."""
    pen.shape((0, -0.18), (-0.08, 0.08), (0, 0.12), (0.08, 0.08), tint=(255, 170, 80), soft=True)
    pen.twins((-0.1, 0.1), (-0.22, 0.0), (-0.2, 0.22), (-0.11, 0.36), tint=pen.bright)
    body = mix(pen.bright, (255, 255, 255), 0.8)
    pen.shape(
        (-0.1, 0.08),
        (-0.14, 0.4),
        (-0.09, 0.72),
        (0, 0.95),
        (0.09, 0.72),
        (0.14, 0.4),
        (0.1, 0.08),
        tint=body,
        soft=True,
    )
    pen.oval(0, 0.54, 0.07, 0.07, tint=pen.bright)
    pen.oval(0, 0.54, 0.045, 0.045, tint=mix(pen.dark, (120, 190, 230), 0.6))


def islet(pen: Figure) -> None:
    """A flat rock in the water, for figures that cannot swim."""
    pen.shape((-0.85, -0.09), (-0.5, 0.02), (-0.1, 0.07), (0.35, 0.05), (0.6, 0.0), (0.9, -0.09))


FIGURES: dict[str, tuple[Callable[[Figure], None], float]] = {
    "cat": (cat, 0.17),
    "dog": (dog, 0.17),
    "fox": (fox, 0.17),
    "rabbit": (rabbit, 0.16),
    "bear": (bear, 0.21),
    "owl": (owl, 0.14),
    "penguin": (penguin, 0.16),
    "deer": (deer, 0.24),
    "whale": (whale, 0.2),
    "boat": (boat, 0.2),
    "balloon": (balloon, 0.24),
    "lighthouse": (lighthouse, 0.34),
    "castle": (castle, 0.22),
    "cabin": (cabin, 0.12),
    "rocket": (rocket, 0.24),
}
"""Each figure and how tall it is, in parts of the picture's shorter edge."""
