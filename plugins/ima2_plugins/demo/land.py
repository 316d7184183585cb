"""What lies below: ridges, trees, water, houses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageDraw

from ima2_plugins.demo.canvas import Canvas, Point, smooth
from ima2_plugins.demo.palette import Colour, Palette, mix


def rolling(canvas: Canvas, base: float, height: float, waves: float) -> list[Point]:
    """A soft skyline around ``base``, from edge to edge (pixels)."""
    parts = [(waves * f, a, canvas.rng.uniform(0, math.tau)) for f, a in ((1, 1.0), (2.3, 0.42), (4.9, 0.13))]
    step = max(2, canvas.w // 220)
    return [
        (x, base - height * sum(a * math.sin(x / canvas.w * f * math.tau + p) for f, a, p in parts) / 1.55)
        for x in range(-step, canvas.w + 2 * step, step)
    ]


def jagged(canvas: Canvas, base: float, height: float, roughness: float = 0.52) -> list[Point]:
    """A mountain skyline above ``base`` (midpoint displacement)."""
    line = [canvas.rng.uniform(0.1, 0.5), canvas.rng.uniform(0.4, 0.9), canvas.rng.uniform(0.1, 0.6)]
    spread = 0.5
    while len(line) < 300:
        middles = [(a + b) / 2 + canvas.rng.uniform(-spread, spread) * 0.62 for a, b in pairwise(line)]
        line = [value for pair in zip(line, middles, strict=False) for value in pair] + [line[-1]]
        spread *= roughness
    low, high = min(line), max(line)
    across = canvas.w / (len(line) - 1)
    return [
        (number * across, base - height * ((value - low) / (high - low)) ** 1.3) for number, value in enumerate(line)
    ]


def ground(canvas: Canvas, skyline: Sequence[Point], top: Colour, bottom: Colour, reach: float = 0.5) -> None:
    """Everything below a skyline."""
    canvas.shade([*skyline, (canvas.w + 9, canvas.h + 9), (-9, canvas.h + 9)], top, bottom, reach)


def height_at(skyline: Sequence[Point], x: float) -> float:
    """Where a skyline is at ``x``."""
    return min(skyline, key=lambda point: abs(point[0] - x))[1]


def snowcap(canvas: Canvas, skyline: Sequence[Point], base: float, height: float, tint: Colour) -> None:
    """Snow on the upper part of mountains: its lower edge in tongues, the slopes away from the light in shade."""
    depths, deep = [], 0.6
    for number in range(len(skyline)):
        if number % 7 == 0:
            deep = canvas.rng.uniform(0.25, 0.75)
        depths.append(height * 0.3 * deep * abs(1 - (number % 14) / 7))
    line = base - height * 0.42
    lower = [
        (x, y + max(0.0, min(depth + (line - y) * 0.4, line - y)))
        for (x, y), depth in zip(skyline, depths, strict=True)
    ]
    canvas.draw.polygon([*skyline, *reversed(lower)], fill=tint)
    shade = mix(tint, (58, 76, 128), 0.24)
    for start in range(0, len(skyline) - 1, 6):
        ridge, foot = skyline[start : start + 7], lower[start : start + 7]
        if ridge[-1][1] > ridge[0][1]:
            side = [(x - (y - ridge[0][1]) * 0.12, y) for x, y in reversed(foot)]
            canvas.draw.polygon([*ridge, *side], fill=shade)


def conifer(canvas: Canvas, x: float, foot: float, height: float, tint: Colour, snow: Colour | None = None) -> None:
    """A fir: boughs over boughs, slightly crooked."""
    draw, rng = canvas.draw, canvas.rng
    draw.rectangle((x - height * 0.02, foot - height * 0.15, x + height * 0.02, foot + height * 0.03), fill=tint)
    tiers = 6
    for tier in range(tiers):
        share = tier / tiers
        low = foot - height * (0.08 + share * 0.84)
        wide = height * 0.24 * (1 - share) ** 0.85 * rng.uniform(0.88, 1.1) + height * 0.015
        top = low - height * (0.3 - 0.1 * share)
        sag = height * 0.03
        draw.polygon([(x - wide, low + sag), (x, low - sag), (x + wide, low + sag), (x, top)], fill=tint)
        if snow:
            tip = (
                (x - wide * 0.9, low + sag * 0.7),
                (x - wide * 0.2, low - sag),
                (x, top),
                (x - wide * 0.35, low - sag * 2.4),
            )
            draw.polygon(tip, fill=snow)


def grove(
    canvas: Canvas, skyline: Sequence[Point], height: float, tint: Colour, density: float, snow: Colour | None = None
) -> None:
    """Firs along a skyline; ``density`` is how close they stand (1: their boughs touch)."""
    gap = height * 0.36 / density
    x = -gap
    while x < canvas.w + gap:
        tall = height * canvas.rng.uniform(0.55, 1.15)
        conifer(canvas, x, height_at(skyline, x) + tall * 0.04, tall, tint, snow)
        x += gap * canvas.rng.uniform(0.45, 1.5)


def water(canvas: Canvas, colours: Palette, horizon: float, lamp: tuple[float, float, float]) -> None:
    """Water from the horizon to the lower edge: it keeps the sky's colours and breaks the light into strokes."""
    deep = mix(colours.sky[0], colours.near, 0.45)
    canvas.gradient([mix(colours.sky[3], colours.far, 0.35), mix(colours.sky[1], colours.far, 0.4), deep], horizon)
    high = canvas.h - horizon
    mask = Image.new("L", (canvas.w, max(1, round(high))))
    draw = ImageDraw.Draw(mask)
    for _ in range(round(620 * canvas.detail)):
        share = canvas.rng.random() ** 1.7
        y = share * high
        wide = canvas.u * (0.006 + 0.05 * share) * canvas.rng.uniform(0.4, 1.5)
        spread = canvas.u * (0.035 + 0.16 * share)
        x = lamp[0] + canvas.rng.gauss(0, 1) * spread
        thick = canvas.u * (0.0009 + 0.0042 * share)
        near = math.exp(-(((x - lamp[0]) / (spread * 1.5)) ** 2))
        draw.ellipse((x - wide, y - thick, x + wide, y + thick), fill=round(60 + 190 * near))
    canvas.veil(mix(colours.lamp, (255, 255, 255), 0.15), mask, (0, round(horizon)))
    swell(canvas, colours, horizon)


def swell(canvas: Canvas, colours: Palette, horizon: float) -> None:
    """Long waves: a light crest over a dark trough."""
    high = canvas.h - horizon
    for row in range(1, 9):
        y = horizon + high * (row / 8.5) ** 1.7
        tall = canvas.u * 0.011 * row / 8
        crest = rolling(canvas, y, tall, 2.2 + 7 / row)
        under = [(x, py + tall * 1.6 + canvas.u * 0.001) for x, py in reversed(crest)]
        tint = mix(mix(colours.sky[1], colours.far, 0.4), colours.near, 0.2 + 0.08 * row)
        veil = Image.new("L", (canvas.w, max(2, round(tall * 6 + 8))))
        top = y - tall * 2 - 2
        ImageDraw.Draw(veil).polygon([(x, py - top) for x, py in (*crest, *under)], fill=72)
        canvas.veil(tint, veil, (0, round(top)))


def towers(canvas: Canvas, base: float, height: float, tint: Colour, lit: Colour | None, wide: float) -> None:
    """A row of houses standing on ``base``; with ``lit``, some windows are."""
    rng, draw = canvas.rng, canvas.draw
    x = -rng.uniform(0, wide)
    while x < canvas.w:
        across = wide * rng.uniform(0.55, 1.35)
        middle = 1 - abs((x + across / 2) / canvas.w - 0.5) * 0.9
        top = base - height * rng.uniform(0.35, 1) * middle
        draw.rectangle((x, top, x + across, canvas.h), fill=tint)
        roof = rng.random()
        if roof < 0.18:
            draw.polygon([(x, top), (x + across / 2, top - across * 0.55), (x + across, top)], fill=tint)
        elif roof < 0.4:
            draw.rectangle((x + across * 0.3, top - across * 0.22, x + across * 0.7, top), fill=tint)
        if rng.random() < 0.3:
            mast = x + across / 2
            draw.line(
                (mast, top - across * rng.uniform(0.4, 0.9), mast, top), fill=tint, width=max(1, round(canvas.u / 420))
            )
        if lit:
            windows(canvas, (x, top, across, base - top), tint, lit)
        x += across * rng.uniform(0.96, 1.25)


def windows(canvas: Canvas, house: tuple[float, float, float, float], wall: Colour, lit: Colour) -> None:
    """Windows of a house at x, y, width and height."""
    x, top, across, tall = house
    cell = max(5.0, canvas.u * 0.0125 / max(0.8, canvas.detail * 0.9))
    columns, rows = int(across * 0.8 / cell), int(tall / (cell * 1.5))
    if columns < 1:
        return
    margin = (across - columns * cell) / 2
    share = canvas.rng.uniform(0.2, 0.6)
    for row in range(rows):
        for column in range(columns):
            if canvas.rng.random() < share:
                left, upper = x + margin + column * cell + cell * 0.22, top + cell * (0.8 + row * 1.5)
                glow = mix(wall, lit, canvas.rng.uniform(0.45, 1))
                canvas.draw.rectangle((left, upper, left + cell * 0.5, upper + cell * 0.75), fill=glow)


def blossoms(canvas: Canvas, colours: Palette, skyline: Sequence[Point], tints: Sequence[Colour]) -> None:
    """A field of flowers, small and dense far away, tall in front."""
    rng, draw = canvas.rng, canvas.draw
    stem = mix(colours.near, (40, 90, 50), 0.45)
    spots = sorted(rng.random() for _ in range(round(430 * canvas.detail)))
    for share in spots:
        x = rng.uniform(-0.02, 1.02) * canvas.w
        top = height_at(skyline, x)
        y = top + (canvas.h * 1.04 - top) * share**1.25
        size = canvas.u * (0.0035 + 0.019 * share**2)
        tall = size * rng.uniform(2.4, 4.2)
        lean = size * rng.uniform(-0.8, 0.8)
        head = x + lean, y - tall
        draw.line((x, y, *head), fill=mix(colours.far, stem, 0.4 + 0.6 * share), width=max(1, round(size * 0.2)))
        tint = mix(mix(rng.choice(tints), (255, 255, 255), rng.uniform(0, 0.25)), colours.haze, 0.45 * (1 - share))
        if share < 0.3:
            canvas.disc(*head, size * 0.75, tint)
            continue
        for petal in range(5):
            turn = petal * math.tau / 5 + lean
            canvas.disc(
                head[0] + math.cos(turn) * size * 0.62, head[1] + math.sin(turn) * size * 0.62, size * 0.55, tint
            )
        canvas.disc(*head, size * 0.36, mix(tint, (255, 226, 130), 0.8))


def dune(canvas: Canvas, base: float, height: float, lit: Colour, shade: Colour, peak: float) -> list[Point]:
    """A dune with its crest at ``peak`` (0 to 1 across), light on the left of its spine and shade on the right.

    Returns its skyline.
    """
    rng, x = canvas.rng, peak * canvas.w
    top = (x, base - height)
    left = [
        (-0.3 * canvas.w, base + height * rng.uniform(0, 0.4)),
        (x * 0.45, base - height * rng.uniform(0.15, 0.4)),
        top,
    ]
    across = canvas.w - x
    right = [
        (x + across * 0.4, base - height * rng.uniform(0.1, 0.3)),
        (canvas.w * 1.3, base + height * rng.uniform(0, 0.5)),
    ]
    crest = smooth([*left, *right], 40)
    ground(canvas, crest, lit, mix(lit, shade, 0.45), 0.9)
    sway, deep = canvas.u * rng.uniform(0.1, 0.16), canvas.h * 1.1 - top[1]
    bends = ((-0.75, 0.16), (0.35, 0.42), (0.1, 0.7), (1.2, 1.0))
    spine = smooth([top, *((x + sway * bend, top[1] + deep * down) for bend, down in bends)], 24)
    lee = [point for point in crest if point[0] >= x]
    canvas.shade([*lee, (canvas.w * 1.3, canvas.h * 1.1), *reversed(spine)], shade, mix(lit, shade, 0.6), 0.7)
    return crest
