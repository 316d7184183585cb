"""From a prompt's wishes to a finished picture. Everything here blocks, and depends on nothing but its arguments."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageChops

from ima2_plugins.demo.canvas import Canvas
from ima2_plugins.demo.creatures import FIGURES, Figure, islet
from ima2_plugins.demo.lettering import letter
from ima2_plugins.demo.palette import Colour, Palette, mix, palette
from ima2_plugins.demo.palette import colour as read_colour
from ima2_plugins.demo.scenes import SCENES
from ima2_plugins.demo.sky import aurora, birds, rain, snowfall
from ima2_plugins.demo.stage import Stage
from ima2_plugins.demo.words import Wishes

_BUDGET = {"low": 1_300_000, "medium": 2_800_000, "high": 6_000_000}
_DETAIL = {"low": 0.6, "medium": 1.0, "high": 1.5}
_ASIDE = ("balloon", "rocket", "lighthouse")
"""Figures that keep out of the light."""
_HOURS = (0.0, 0.12, 0.33, 0.62, 0.7, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Brief:
    """One picture to paint. ``number`` is its place among candidates; ``place`` that in a sequence, with its length."""

    wishes: Wishes
    size: tuple[int, int]
    quality: str = "medium"
    seed: float = 0
    number: int = 0
    place: tuple[int, int] | None = None
    tints: tuple[Colour, ...] = ()

    def resized(self, size: tuple[int, int]) -> Brief:
        """The same in another size."""
        return replace(self, size=size)


def light_of(brief: Brief) -> Palette:
    """The colours a brief will be painted in."""
    seed = _seed(brief)
    return _light(brief, seed, _scene(brief, seed))[1]


def paint(brief: Brief) -> Image.Image:
    """The picture in its exact size, with caption and badge."""
    wishes = brief.wishes
    seed = _seed(brief)
    scene = _scene(brief, seed)
    hour, colours = _light(brief, seed, scene)
    canvas = Canvas(_work_size(brief), seed, _DETAIL.get(brief.quality, 1.0))
    stage = SCENES[scene](canvas, colours, hour)
    if "aurora" in wishes.creatures and scene != "snow":
        aurora(canvas, colours, stage.horizon)
    _figures(canvas, colours, stage, wishes.creatures)
    if "snowfall" in wishes.creatures and scene != "snow":
        snowfall(canvas)
    if "rain" in wishes.creatures:
        rain(canvas, colours)
    image = canvas.image.resize(brief.size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    image = grained(image, canvas, 2)
    letter(image, wishes.text, f"{brief.place[0] + 1}/{brief.place[1]}" if brief.place else "")
    return image


def _seed(brief: Brief) -> int:
    """Equal for equal words, whatever their case and punctuation."""
    words = " ".join(re.findall(r"\w+", brief.wishes.text.casefold()))
    return int.from_bytes(hashlib.sha256(f"{words}|{brief.seed}|{brief.number}".encode()).digest()[:8], "big")


def _scene(brief: Brief, seed: int) -> str:
    return brief.wishes.scene or list(SCENES)[seed // 7 % len(SCENES)]


def _light(brief: Brief, seed: int, scene: str) -> tuple[float, Palette]:
    """The hour and its colours. A sequence of pictures runs through one day."""
    hour = brief.wishes.hour
    if brief.place is not None:
        hour = brief.place[0] / max(1, brief.place[1] - 1)
    elif hour is None:
        hour = _HOURS[seed // 11 % len(_HOURS)]
        hour = max(hour, 0.66) if scene in ("space", "city") else hour
    tints = [*brief.tints, *(read_colour(code) for code in brief.wishes.tints)]
    return hour, palette(hour, seed // 13 % 3, tints, ((seed >> 20) % 41 - 20) / 1000)


def _work_size(brief: Brief) -> tuple[int, int]:
    width, height = brief.size
    scale = min(2.0, max(0.4, math.sqrt(_BUDGET.get(brief.quality, 2_800_000) / (width * height))))
    return max(64, round(width * scale)), max(64, round(height * scale))


def _figures(canvas: Canvas, colours: Palette, stage: Stage, names: Sequence[str]) -> None:
    """The creatures and things that were named, at most three, side by side."""
    named = sorted((name for name in names if name in FIGURES), key=lambda name: name in _ASIDE)[:3]
    if "birds" in names:
        birds(canvas, colours, canvas.w * 0.5, canvas.h * 0.3, 16, 0.03)
    beside = canvas.w * (0.72 if stage.lamp[0] < canvas.w / 2 else 0.3)
    for number, name in enumerate(named):
        draw, part = FIGURES[name]
        size = canvas.u * part * canvas.rng.uniform(0.95, 1.15)
        x = stage.lamp[0] if number == 0 and name not in _ASIDE else beside + (number // 2) * canvas.u * 0.22
        x = min(max(x, size), canvas.w - size)
        ground = stage.ground(x) + size * 0.02
        if name in ("balloon", "rocket"):
            ground = canvas.h * 0.46
        elif stage.afloat and name == "lighthouse":
            ground = stage.horizon + size * 0.12
        elif stage.afloat and name not in ("boat", "whale"):
            islet(Figure(canvas, (x, ground), size, (stage.figures, stage.figures)))
        bright = mix(colours.accent, colours.lamp, 0.25)
        side = 1 if canvas.rng.random() < 0.5 else -1
        if name in ("cat", "dog", "fox", "rabbit", "bear", "owl", "deer"):
            canvas.glow(x, ground - size * 0.5, size * 1.25, colours.sky[3], 0.3 + 0.3 * colours.night)
        draw(Figure(canvas, (x, ground), size, (stage.figures, bright), side))


def grained(image: Image.Image, canvas: Canvas, strength: int) -> Image.Image:
    """The picture with the faintest grain, which keeps its gradients from showing steps."""
    levels = [128 - strength + round(2 * strength * level / 255) for level in range(256)]
    tile = Image.frombytes("L", (256, 256), canvas.rng.randbytes(65_536)).point(levels)
    sheet = Image.new("L", image.size)
    for x in range(0, image.width, 256):
        for y in range(0, image.height, 256):
            sheet.paste(tile, (x, y))
    return ImageChops.add(image, Image.merge("RGB", (sheet, sheet, sheet)), offset=-128)
