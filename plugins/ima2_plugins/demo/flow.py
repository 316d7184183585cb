"""The scene without things: a field of strokes."""

from __future__ import annotations

import math

from ima2_plugins.demo.canvas import Canvas
from ima2_plugins.demo.palette import Palette, light, mix
from ima2_plugins.demo.stage import Stage


def flow(canvas: Canvas, colours: Palette, hour: float) -> Stage:
    """Strokes that follow a field of slow turns, in the colours of the hour."""
    rng, unit = canvas.rng, canvas.u / 1000
    ground = mix(colours.near, colours.sky[0], 0.3)
    canvas.gradient([mix(ground, colours.sky[0], 0.5), ground])
    tints = [*colours.sky, colours.accent, colours.far, colours.lamp]
    waves = [
        (rng.uniform(0.6, 2.1), rng.uniform(0.6, 2.1), rng.uniform(0, math.tau), rng.uniform(0.5, 1.2))
        for _ in range(4)
    ]
    lean = rng.uniform(-0.6, 0.6)
    count = round(1150 * canvas.detail)
    for number in range(count):
        share = number / count
        x, y = rng.uniform(-0.1, 1.05) * canvas.w, rng.uniform(-0.05, 1.05) * canvas.h
        path, step = [(x, y)], 15 * unit
        for _ in range(rng.randint(8, 26)):
            turn = lean + sum(g * math.sin(a * x / canvas.u * 3 + b * y / canvas.u * 3 + p) for a, b, p, g in waves)
            x, y = x + math.cos(turn) * step, y + math.sin(turn) * step
            path.append((x, y))
        place = (path[0][1] / canvas.h + rng.gauss(0, 0.13)) * (len(tints) - 1)
        tint = mix(tints[max(0, min(len(tints) - 1, round(place)))], ground, 0.62 * (1 - share) ** 1.6)
        tint = mix(tint, (255, 255, 255), 0.12 * rng.random()) if light(tint) > 0.3 else tint
        wide = unit * (9 - 6.4 * share) * rng.uniform(0.5, 1.25)
        canvas.draw.line(path, fill=tint, width=max(1, round(wide)))
        for px, py in (path[0], path[-1]):
            canvas.disc(px, py, wide / 2, tint)
    return Stage(
        lambda _: canvas.h * 0.86, (canvas.w / 2, canvas.h / 3, canvas.u / 10), canvas.h, mix(ground, (0, 0, 0), 0.5)
    )
