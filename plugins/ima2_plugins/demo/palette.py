"""Colours: four moments of a day, each in some variants, and the ways between them."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

Colour = tuple[int, int, int]

_MOMENTS: tuple[tuple[str, ...], ...] = (
    (  # dawn: sky from top to horizon (4), sun or moon, far land, near land, accent
        "2b3a67 7a6fa8 f2a7a0 ffe0b5 fff1c9 b98ea6 2c2a4a f58f7c",
        "3f5f8a 9fb7cf f7cfc0 fff0d6 fff6df 9db0bf 2d4358 e98f86",
        "4a4e8f a98fc4 f6b8c6 ffe6cf fff0dd b59ac0 3a2f55 ff9a8b",
    ),
    (  # day
        "2f7fc1 6fb4e0 bfe3ef f4f6e6 fffbe0 9cc5c9 1f5a52 f2b134",
        "4a90b8 8cc7d0 d9ecd9 fdf3d0 fffbe6 a9cdb8 2f5d3a e8734a",
        "2c6fae 7ab8dd cfe6ea fbf1dc fffdf0 a7bfd0 2a4d63 ef8354",
    ),
    (  # dusk
        "1f2354 6b3a7d e0605e ffb561 ffe3a1 a1476b 1c1433 ffd27d",
        "243b55 86577f e98a6d fbd08b fff0c4 a4637a 22203d ff7f5c",
        "3a1c4e 9c3d68 f0725c ffc371 ffeab0 b0496b 230f2e ffe08a",
    ),
    (  # night
        "060a1f 0f1c44 24396e 4a6a98 f7f3dc 2c4471 050a18 ffd98a",
        "0b0720 231447 4a2a72 8a5a9c f9efe6 472e6e 0a0618 ffb3c7",
        "04141c 0a2f3a 17565a 4c8f86 f2f6e4 1c5257 031014 ffe08a",
    ),
)


def colour(code: str) -> Colour:
    """``rrggbb`` or ``#rrggbb`` as numbers."""
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return red, green, blue


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """``share`` of the other colour in one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def light(one: Colour) -> float:
    """How bright a colour is, 0 to 1."""
    return (0.299 * one[0] + 0.587 * one[1] + 0.114 * one[2]) / 255


def tinted(one: Colour, tint: Colour, share: float) -> Colour:
    """A colour led towards a tint, as bright as before."""
    level = light(one)
    hue, _, saturation = colorsys.rgb_to_hls(*(part / 255 for part in tint))
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, level, min(saturation, 0.75)))
    return mix(one, (red, green, blue), share)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one picture. ``sky`` runs from the top to the horizon."""

    sky: tuple[Colour, ...]
    lamp: Colour
    far: Colour
    near: Colour
    accent: Colour
    night: float
    """How much of the night there is in it, 0 to 1."""

    def depth(self, share: float) -> Colour:
        """Land from far (0) to near (1)."""
        return mix(self.far, self.near, share**0.8)

    @property
    def haze(self) -> Colour:
        """What lies between things."""
        return mix(self.sky[-1], self.far, 0.25)


def palette(hour: float, variant: int, tints: Sequence[Colour] = (), turn: float = 0.0) -> Palette:
    """The colours of an hour (0 dawn, 1 night): of a variant, led towards tints, its hues turned a little."""
    place = min(max(hour, 0.0), 1.0) * 3
    start = min(int(place), 2)
    pairs = zip(_moment(start, variant), _moment(start + 1, variant), strict=True)
    colours = [_turned(mix(a, b, place - start), turn) for a, b in pairs]
    for number, tint in enumerate(tints):
        colours = [tinted(one, tint, 0.62 / (1 + number)) for one in colours]
    lamp, far, near, accent = colours[4:8]
    return Palette(tuple(colours[:4]), lamp, far, near, accent, night=max(0.0, place - 2))


def _moment(index: int, variant: int) -> list[Colour]:
    variants = _MOMENTS[index]
    return [colour(code) for code in variants[variant % len(variants)].split()]


def _turned(one: Colour, turn: float) -> Colour:
    hue, level, saturation = colorsys.rgb_to_hls(*(part / 255 for part in one))
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb((hue + turn) % 1, level, saturation))
    return red, green, blue
