"""Deep space: clouds of gas, stars, planets, and the ground of some moon."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ima2_plugins.demo import land
from ima2_plugins.demo.canvas import Canvas, halo
from ima2_plugins.demo.palette import Colour, Palette, mix, tinted
from ima2_plugins.demo.sky import stars


def deep_space(canvas: Canvas, colours: Palette) -> tuple[Callable[[float], float], tuple[float, float, float]]:
    """Paint it all. Returns the height of the ground at x, and the large planet's place and radius."""
    dark = mix(mix(colours.sky[0], (6, 8, 24), 0.72), colours.near, 0.2)
    canvas.gradient([mix(dark, colours.sky[1], 0.12), dark, mix(dark, (0, 0, 0), 0.4)])
    vivid = [tinted((150, 130, 165), one, 0.85) for one in (colours.sky[1], colours.sky[2], colours.accent)]
    for tint, strength in zip(vivid, (0.85, 0.75, 0.5), strict=True):
        nebula(canvas, tint, strength)
    stars(canvas, colours, canvas.h, 380)
    x, y = canvas.w * canvas.rng.choice((0.3, 0.68)), canvas.h * canvas.rng.uniform(0.36, 0.44)
    radius = canvas.u * canvas.rng.uniform(0.15, 0.19)
    planet(canvas, (x, y, radius), (mix(colours.accent, colours.lamp, 0.25), colours.sky[1]), ringed=True)
    side = -1 if x > canvas.w / 2 else 1
    small = x + side * canvas.u * 0.42, y - canvas.u * 0.2, canvas.u * 0.045
    planet(canvas, small, (colours.sky[2], colours.sky[0]), ringed=False)
    line = land.jagged(canvas, canvas.h * 0.93, canvas.h * 0.12, 0.5)
    rock = mix(colours.near, (8, 8, 20), 0.4)
    land.ground(canvas, line, mix(rock, colours.sky[1], 0.3), rock, 0.5)
    line = land.rolling(canvas, canvas.h * 0.93, canvas.u * 0.022, 1.2)
    land.ground(canvas, line, mix(rock, colours.sky[2], 0.1), mix(rock, (0, 0, 0), 0.5), 0.5)
    return lambda at: land.height_at(line, at), (x, y, radius)


def nebula(canvas: Canvas, tint: Colour, strength: float) -> None:
    """Glowing gas in one colour, thickest around a place of its own."""
    gas = canvas.noise(canvas.image.size, (3, 3), 6)
    spread = round(max(canvas.image.size) * 1.5)
    around = Image.new("L", canvas.image.size)
    place = (
        round(canvas.rng.uniform(0.1, 0.9) * canvas.w - spread / 2),
        round(canvas.rng.uniform(0.1, 0.8) * canvas.h - spread / 2),
    )
    around.paste(halo(255).resize((spread, spread)), place)
    levels = [round(255 * strength * max(0.0, (level - 70) / 185) ** 1.5) for level in range(256)]
    mask = ImageChops.multiply(gas.point(levels), around)
    canvas.veil(tint, mask)
    heart = mask.point([max(0, round((level - 95) * 1.1)) for level in range(256)])
    canvas.veil(mix(tint, (255, 255, 255), 0.5), heart)


def planet(canvas: Canvas, place: tuple[float, float, float], tints: tuple[Colour, Colour], ringed: bool) -> None:
    """A banded ball, lit from the upper left."""
    x, y, radius = place
    bright, dim = tints
    edge = max(8, round(2 * radius))
    rows = []
    for row in range(32):
        rows += list(mix(bright, dim, 0.5 + 0.32 * math.sin(row * 0.9 + x) + 0.16 * canvas.rng.uniform(-1, 1)))
    ball = Image.frombytes("RGB", (1, 32), bytes(rows)).resize((edge, edge), Image.Resampling.BICUBIC).rotate(-16)
    shade = halo(255).resize((edge * 2, edge * 2)).point([255 - min(255, round(level * 2.1)) for level in range(256)])
    corner = round(edge * 0.68)
    ball.paste(mix(dim, (4, 5, 18), 0.9), (0, 0), shade.crop((corner, corner, corner + edge, corner + edge)))
    mask = Image.new("L", (edge, edge))
    ImageDraw.Draw(mask).ellipse((1, 1, edge - 2, edge - 2), fill=255)
    canvas.glow(x - radius * 0.1, y - radius * 0.1, radius * 1.75, bright, 0.5)
    if ringed:
        rings(canvas, place, bright, behind=True)
    canvas.image.paste(ball, (round(x - edge / 2), round(y - edge / 2)), mask)
    if ringed:
        rings(canvas, place, bright, behind=False)


def rings(canvas: Canvas, place: tuple[float, float, float], tint: Colour, behind: bool) -> None:
    """One half of a planet's rings: the one behind it, or the one in front."""
    x, y, radius = place
    edge = round(radius * 4.8)
    mask = Image.new("L", (edge, edge))
    draw = ImageDraw.Draw(mask)
    middle = edge / 2
    for number, level in enumerate((120, 210, 60, 235, 150, 30, 110)):
        out = radius * (2.15 - number * 0.1)
        draw.ellipse((middle - out, middle - out * 0.27, middle + out, middle + out * 0.27), fill=level)
    hole = radius * 1.45
    draw.ellipse((middle - hole, middle - hole * 0.27, middle + hole, middle + hole * 0.27), fill=0)
    draw.rectangle((0, middle, edge, edge) if behind else (0, 0, edge, middle), fill=0)
    mask = mask.rotate(16, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(max(0.5, radius / 300)))
    canvas.veil(mix(tint, (255, 250, 235), 0.55), mask, (round(x - middle), round(y - middle)))
