"""The scenes: each paints a whole canvas and says where a figure may stand."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

from ima2_plugins.demo import land
from ima2_plugins.demo.canvas import Canvas, Point
from ima2_plugins.demo.flow import flow
from ima2_plugins.demo.palette import Palette, mix
from ima2_plugins.demo.sky import aurora, birds, sky, snowfall
from ima2_plugins.demo.space import deep_space
from ima2_plugins.demo.stage import Stage, place_lamp


def hills(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """Six rolling ridges, firs on two of them."""
    horizon = canvas.h * 0.62
    lamp = place_lamp(canvas, colours, hour, horizon)
    sky(canvas, colours, horizon, lamp)
    line: list[Point] = []
    layers = 6
    for layer in range(layers):
        share = layer / (layers - 1)
        base = canvas.h * (0.55 + 0.36 * share**1.15)
        line = land.rolling(canvas, base, canvas.u * (0.05 + 0.035 * share), 0.7 + 0.9 * (1 - share))
        top = colours.depth(share)
        land.ground(canvas, line, top, mix(top, colours.haze, 0.34 * (1 - share)), 0.3)
        if layer in (2, 4):
            land.grove(canvas, line, canvas.u * (0.035 + 0.03 * share), mix(top, colours.near, 0.35), 0.5)
    birds(canvas, colours, lamp[0] + canvas.u * 0.16, lamp[1] + canvas.u * 0.05)
    return Stage(lambda x: land.height_at(line, x), lamp, horizon, mix(colours.near, (0, 0, 0), 0.35))


def mountain(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """Rock and snow above a wood."""
    horizon = canvas.h * 0.66
    lamp = place_lamp(canvas, colours, hour, horizon, 0.05)
    sky(canvas, colours, horizon, lamp)
    line: list[Point] = []
    for layer, (base, height) in enumerate(((0.6, 0.2), (0.68, 0.36), (0.8, 0.24), (0.92, 0.13))):
        share = layer / 3
        line = land.jagged(canvas, canvas.h * base, canvas.h * height)
        top = colours.depth(share)
        land.ground(canvas, line, top, mix(top, colours.haze, 0.75 * (1 - share)), 0.55)
        if layer < 2:
            cap = mix(mix(colours.sky[3], (255, 255, 255), 0.55), top, 0.42 - 0.22 * layer)
            land.snowcap(canvas, line, canvas.h * base, canvas.h * height, cap)
        canvas.mist(canvas.h * (base - 0.06), canvas.h * (base + 0.09), colours.haze, 0.42 * (1 - share))
    line = land.rolling(canvas, canvas.h * 0.93, canvas.u * 0.03, 0.9)
    land.ground(canvas, line, colours.near, mix(colours.near, (0, 0, 0), 0.3))
    land.grove(canvas, line, canvas.u * 0.13, colours.near, 0.75)
    birds(canvas, colours, lamp[0] - canvas.u * 0.15, lamp[1] + canvas.u * 0.06, 5, 0.013)
    return Stage(lambda x: land.height_at(line, x), lamp, horizon, mix(colours.near, (0, 0, 0), 0.4))


def sea(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """Open water that carries the light."""
    horizon = canvas.h * 0.55
    lamp = place_lamp(canvas, colours, hour, horizon, 0.062)
    sky(canvas, colours, horizon, lamp)
    for share, height in ((0.0, 0.1), (0.25, 0.06)):
        side = canvas.rng.choice((-1, 1))
        line = land.jagged(canvas, horizon, canvas.h * height)
        slope = [(x, horizon - (horizon - y) * max(0.0, side * (x / canvas.w - 0.5) * 2 - 0.1)) for x, y in line]
        canvas.draw.polygon([*slope, (canvas.w, horizon + 2), (0, horizon + 2)], fill=colours.depth(share))
    land.water(canvas, colours, horizon, lamp)
    canvas.mist(horizon - canvas.u * 0.03, horizon, colours.sky[3], 0.4)
    birds(canvas, colours, lamp[0] + canvas.u * 0.2, lamp[1] - canvas.u * 0.02, 6, 0.017)
    return Stage(lambda _: canvas.h * 0.68, lamp, horizon, mix(colours.near, colours.sky[0], 0.15), afloat=True)


def forest(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """Rows of firs in mist."""
    horizon = canvas.h * 0.7
    lamp = place_lamp(canvas, colours, hour, canvas.h * 0.6, 0.06)
    sky(canvas, colours, horizon, lamp)
    line = land.jagged(canvas, canvas.h * 0.58, canvas.h * 0.16)
    land.ground(canvas, line, colours.depth(0.0), colours.haze, 0.4)
    layers = 5
    for layer in range(layers):
        share = (layer + 1) / layers
        line = land.rolling(canvas, canvas.h * (0.56 + 0.36 * share), canvas.u * 0.035, 0.9)
        tint = colours.depth(share)
        land.grove(canvas, line, canvas.u * (0.07 + 0.24 * share**1.7), tint, 1.05 - 0.45 * share)
        land.ground(canvas, line, tint, mix(tint, colours.haze, 0.5 * (1 - share)), 0.3)
        if layer < layers - 1:
            canvas.mist(canvas.h * (0.44 + 0.36 * share), canvas.h * (0.62 + 0.36 * share), colours.haze, 0.34)
    birds(canvas, colours, lamp[0] + canvas.u * 0.12, lamp[1], 5, 0.012)
    return Stage(lambda x: land.height_at(line, x), lamp, horizon, mix(colours.near, (0, 0, 0), 0.4))


def city(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """A skyline and its river."""
    horizon = canvas.h * 0.76
    lamp = place_lamp(canvas, colours, hour, canvas.h * 0.6, 0.075)
    sky(canvas, colours, horizon, lamp)
    lit = mix(colours.accent, (255, 224, 160), 0.4)
    for layer in range(4):
        share = layer / 3
        tint = mix(colours.depth(share), colours.sky[0], 0.15)
        windowed = lit if layer > 0 else None
        shown = mix(lit, tint, 0.55 - 0.5 * share) if windowed else None
        land.towers(canvas, horizon, canvas.h * (0.52 - 0.12 * layer), tint, shown, canvas.u * (0.055 + 0.026 * layer))
        canvas.mist(horizon - canvas.h * 0.2, horizon, mix(colours.sky[3], colours.accent, 0.3), 0.3 * (1 - share))
    mirror(canvas, colours, horizon)
    return Stage(lambda _: canvas.h * 0.88, lamp, horizon, mix(colours.near, (0, 0, 0), 0.3), afloat=True)


def mirror(canvas: Canvas, colours: Palette, horizon: float) -> None:
    """A river that shows what stands above it, broken into ripples."""
    top = round(horizon)
    high = canvas.h - top
    above = canvas.image.crop((0, max(0, top - high * 2), canvas.w, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    small = above.resize((max(8, canvas.w // 6), max(4, high // 14))).filter(ImageFilter.GaussianBlur(0.6))
    canvas.image.paste(small.resize((canvas.w, high), Image.Resampling.BICUBIC), (0, top))
    canvas.mist(top - high, canvas.h, mix(colours.near, colours.sky[0], 0.4), 0.72)
    mask = Image.new("L", (canvas.w, high))
    draw = ImageDraw.Draw(mask)
    for _ in range(round(240 * canvas.detail)):
        x, y = canvas.rng.uniform(0, canvas.w), canvas.rng.random() ** 1.4 * high
        wide = canvas.u * (0.01 + 0.05 * y / high)
        draw.line((x - wide, y, x + wide, y), fill=canvas.rng.randint(20, 90), width=max(1, round(canvas.u / 800)))
    canvas.veil(mix(colours.sky[3], colours.accent, 0.4), mask, (0, top))


def desert(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """Dunes."""
    horizon = canvas.h * 0.6
    lamp = place_lamp(canvas, colours, hour, horizon, 0.085)
    sky(canvas, colours, horizon, lamp)
    sand = mix(mix((226, 168, 104), colours.sky[3], 0.35), colours.near, 0.55 * colours.night)
    dark = mix(mix((150, 84, 66), colours.far, 0.35), colours.near, 0.3 + 0.4 * colours.night)
    line = land.jagged(canvas, horizon + canvas.h * 0.01, canvas.h * 0.09, 0.46)
    land.ground(canvas, line, mix(colours.far, dark, 0.35), colours.haze, 0.2)
    side = 0.0 if lamp[0] < canvas.w / 2 else 0.1
    for share, peak in ((0.0, 0.3), (0.35, 0.68), (0.68, 0.24), (1.0, 0.6)):
        lit = mix(mix(sand, colours.haze, 0.5 * (1 - share)), dark, 0.12 * share)
        shaded = mix(dark, colours.haze, 0.45 * (1 - share))
        base = canvas.h * (0.64 + 0.25 * share)
        across = peak + side + canvas.rng.uniform(-0.06, 0.06)
        line = land.dune(canvas, base, canvas.u * (0.06 + 0.08 * share), lit, shaded, across)
    birds(canvas, colours, lamp[0] - canvas.u * 0.18, lamp[1] + canvas.u * 0.02, 3, 0.014)
    return Stage(lambda x: land.height_at(line, x), lamp, horizon, mix(dark, colours.near, 0.75))


def snow(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """Winter: white hills, firs, and northern lights at night."""
    horizon = canvas.h * 0.62
    lamp = place_lamp(canvas, colours, hour, horizon, 0.05)
    sky(canvas, colours, horizon, lamp)
    if colours.night > 0.6:
        aurora(canvas, colours, horizon)
    white = mix((244, 248, 255), colours.sky[1], 0.16 + 0.28 * colours.night)
    line = land.jagged(canvas, canvas.h * 0.62, canvas.h * 0.24)
    land.ground(canvas, line, mix(colours.far, white, 0.25), colours.haze, 0.5)
    land.snowcap(canvas, line, canvas.h * 0.62, canvas.h * 0.24, mix(white, colours.sky[3], 0.25))
    for layer in range(4):
        share = layer / 3
        line = land.rolling(canvas, canvas.h * (0.64 + 0.27 * share), canvas.u * (0.03 + 0.02 * share), 0.7)
        fir = mix(colours.depth(0.35 + 0.65 * share), (26, 52, 66), 0.35)
        land.grove(canvas, line, canvas.u * (0.06 + 0.13 * share), fir, 0.75 - 0.42 * share, mix(white, fir, 0.1))
        land.ground(canvas, line, mix(white, colours.haze, 0.4 * (1 - share)), mix(white, colours.sky[1], 0.42), 0.6)
    snowfall(canvas)
    return Stage(lambda x: land.height_at(line, x), lamp, horizon, mix(colours.near, (20, 26, 44), 0.5))


def meadow(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """A field of flowers."""
    horizon = canvas.h * 0.56
    lamp = place_lamp(canvas, colours, hour, horizon)
    sky(canvas, colours, horizon, lamp)
    line: list[Point] = []
    green = mix((96, 160, 84), colours.near, 0.2 + 0.6 * colours.night)
    for layer in range(4):
        share = layer / 3
        line = land.rolling(canvas, canvas.h * (0.52 + 0.14 * share), canvas.u * 0.04, 1.1 - 0.3 * share)
        top = mix(colours.depth(0.1 + 0.35 * share), green, 0.15 + 0.5 * share)
        land.ground(canvas, line, top, mix(top, colours.near, 0.75 * share), 0.9)
        if layer == 2:
            land.grove(canvas, line, canvas.u * 0.06, mix(top, colours.near, 0.5), 0.4)
    tints = (
        colours.accent,
        (240, 108, 132),
        (255, 255, 250),
        (250, 196, 92),
        mix(colours.accent, (150, 110, 220), 0.75),
    )
    dim = 0.35 * colours.night
    stage = Stage(lambda _: canvas.h * 0.8, lamp, horizon, mix(colours.near, (0, 0, 0), 0.25))
    land.blossoms(canvas, colours, line, [mix(tint, colours.sky[1], dim) for tint in tints])
    birds(canvas, colours, lamp[0] + canvas.u * 0.15, lamp[1], 5, 0.013)
    return stage


def space(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """Deep space over some moon; the hour only colours it."""
    ground, planet = deep_space(canvas, colours)
    return Stage(ground, planet, canvas.h * 0.85, mix(colours.near, (0, 0, 0), 0.5))


SCENES: dict[str, Callable[[Canvas, Palette, float], Stage]] = {
    "hills": hills,
    "mountain": mountain,
    "sea": sea,
    "forest": forest,
    "city": city,
    "desert": desert,
    "snow": snow,
    "meadow": meadow,
    "space": space,
    "flow": flow,
}
