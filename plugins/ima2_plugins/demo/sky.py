"""What is above: light, clouds, stars, birds, northern lights."""

from __future__ import annotations

import math

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ima2_plugins.demo.canvas import Canvas, smooth
from ima2_plugins.demo.palette import Palette, mix


def sky(canvas: Canvas, colours: Palette, horizon: float, lamp: tuple[float, float, float]) -> None:
    """The sky down to ``horizon`` (pixels) with its lamp, sun or moon, at x, y and radius (pixels)."""
    canvas.gradient(colours.sky, 0, horizon)
    canvas.gradient([colours.sky[-1], colours.haze], horizon)
    if colours.night > 0.35:
        milky_way(canvas, colours, horizon)
        stars(canvas, colours, horizon, 190)
    x, y, radius = lamp
    canvas.glow(x, y, radius * 9, colours.lamp, 0.34 + 0.2 * (1 - colours.night))
    canvas.glow(x, y, radius * 3.6, colours.lamp, 0.62)
    clouds(canvas, colours, horizon)
    canvas.disc(x, y, radius, colours.lamp)
    if colours.night > 0.5:
        craters(canvas, colours, lamp)


def craters(canvas: Canvas, colours: Palette, lamp: tuple[float, float, float]) -> None:
    """The seas of a moon."""
    x, y, radius = lamp
    dim = mix(colours.lamp, colours.sky[1], 0.16)
    for across, down, size in ((-0.3, -0.2, 0.3), (0.25, 0.25, 0.22), (0.3, -0.35, 0.14), (-0.2, 0.42, 0.13)):
        canvas.disc(x + across * radius, y + down * radius, size * radius, dim)


def stars(canvas: Canvas, colours: Palette, bottom: float, count: int) -> None:
    """Many small stars, a few bright ones with rays."""
    rng, unit = canvas.rng, canvas.u / 1000
    for _ in range(round(count * canvas.detail * max(1.0, canvas.w / canvas.h))):
        x, y = rng.uniform(0, canvas.w), bottom * rng.random() ** 1.3
        shine = rng.random() ** 2
        tint = mix(colours.sky[1], (255, 252, 240), 0.35 + 0.65 * shine)
        canvas.disc(x, y, max(0.6, unit * (0.7 + 1.5 * shine)), tint)
    for _ in range(round(7 * canvas.detail)):
        x, y, ray = rng.uniform(0, canvas.w), bottom * 0.8 * rng.random(), unit * rng.uniform(7, 15)
        canvas.glow(x, y, ray * 1.6, (255, 250, 235), 0.55)
        for across, down in ((ray, ray * 0.11), (ray * 0.11, ray)):
            rays = [(x - across, y), (x, y - down), (x + across, y), (x, y + down)]
            canvas.draw.polygon(rays, fill=(255, 252, 242))


def milky_way(canvas: Canvas, colours: Palette, bottom: float) -> None:
    """A pale band of dust across the night."""
    size = canvas.w, max(8, round(bottom))
    dust = canvas.noise(size, (5, 5), 5)
    small = Image.new("L", (64, 64))
    lean = canvas.rng.choice((-1, 1))
    ImageDraw.Draw(small).line((32 - 40 * lean, 70, 32 + 44 * lean, -8), fill=255, width=22)
    band = small.filter(ImageFilter.GaussianBlur(7)).resize(size, Image.Resampling.BICUBIC)
    mask = ImageChops.multiply(dust, band).point([round(level * 0.55) for level in range(256)])
    canvas.veil(mix(colours.sky[-1], (255, 255, 255), 0.25), mask)


def clouds(canvas: Canvas, colours: Palette, horizon: float) -> None:
    """Long thin clouds, lit from below."""
    size = canvas.w, max(8, round(horizon))
    field = canvas.noise(size, (3, 9), 4)
    fade = Image.linear_gradient("L").point(
        [round(255 * math.sin(level / 255 * math.pi) ** 0.7) for level in range(256)]
    )
    thin = field.point([max(0, min(255, (level - 132) * 3)) for level in range(256)])
    mask = ImageChops.multiply(thin, fade.resize(size)).point([round(level * 0.46) for level in range(256)])
    shadow = ImageChops.offset(mask, 0, round(canvas.u * 0.008)).point([level // 2 for level in range(256)])
    canvas.veil(mix(colours.sky[1], colours.far, 0.3), shadow)
    canvas.veil(mix(colours.sky[3], colours.lamp, 0.5), mask)


def birds(canvas: Canvas, colours: Palette, x: float, y: float, count: int = 7, size: float = 0.016) -> None:
    """A small flock, near the light."""
    for _ in range(count):
        left, top = x + canvas.rng.gauss(0, 0.1) * canvas.u, y + canvas.rng.gauss(0, 0.045) * canvas.u
        span = canvas.u * size * canvas.rng.uniform(0.6, 1.2)
        lift = span * canvas.rng.uniform(0.35, 0.7)
        wings = smooth([(left - span, top - lift * 0.5), (left - span * 0.5, top - lift), (left, top)], 5)
        wings += smooth([(left, top), (left + span * 0.5, top - lift), (left + span, top - lift * 0.5)], 5)
        under = [(px, py + span * 0.16 * (1 - abs(px - left) / span)) for px, py in reversed(wings)]
        canvas.draw.polygon(wings + under, fill=mix(colours.near, colours.sky[2], 0.12))


def aurora(canvas: Canvas, colours: Palette, horizon: float) -> None:
    """Curtains of northern light."""
    width, height = max(16, canvas.w // 4), max(16, round(horizon) // 4)
    for tint, base in (((92, 240, 170), 0.72), ((120, 150, 255), 0.56), ((210, 110, 230), 0.42)):
        mask = Image.new("L", (width, height))
        draw = ImageDraw.Draw(mask)
        phase, waves = canvas.rng.uniform(0, 6), canvas.rng.uniform(1.2, 2.4)
        for x in range(width):
            at = x / width * math.tau * waves + phase
            foot = height * (base + 0.12 * math.sin(at) + 0.05 * math.sin(at * 2.7))
            flicker = 0.5 + 0.28 * math.sin(at * 9 + phase) + 0.22 * math.sin(at * 23)
            tall = height * (0.3 + 0.2 * flicker)
            for step in range(8):
                top = foot - tall * (step + 1) / 8
                draw.line((x, top, x, foot - tall * step / 8), fill=round(175 * flicker * (1 - step / 8) ** 1.5))
        soft = mask.filter(ImageFilter.GaussianBlur(2)).resize((canvas.w, round(horizon)), Image.Resampling.BICUBIC)
        canvas.veil(mix(tint, colours.accent, 0.12), soft)


def rain(canvas: Canvas, colours: Palette) -> None:
    """Slanting rain in front of everything."""
    tint = mix(colours.sky[2], (255, 255, 255), 0.5)
    mask = Image.new("L", canvas.image.size)
    draw = ImageDraw.Draw(mask)
    for _ in range(round(420 * canvas.detail)):
        x, y = canvas.rng.uniform(-0.1, 1.1) * canvas.w, canvas.rng.uniform(-0.1, 1) * canvas.h
        long = canvas.u * canvas.rng.uniform(0.02, 0.06)
        draw.line(
            (x, y, x - long * 0.25, y + long), fill=canvas.rng.randint(40, 130), width=max(1, round(canvas.u / 700))
        )
    canvas.veil(tint, mask)


def snowfall(canvas: Canvas) -> None:
    """Flakes, the near ones large and soft."""
    for _ in range(round(260 * canvas.detail)):
        x, y, near = canvas.rng.uniform(0, canvas.w), canvas.rng.uniform(0, canvas.h), canvas.rng.random() ** 5
        if near > 0.25:
            canvas.glow(x, y, canvas.u * 0.016 * near + 2, (255, 255, 255), 0.75)
        else:
            canvas.disc(x, y, max(0.7, canvas.u * (0.0011 + 0.003 * near)), (246, 249, 255))
