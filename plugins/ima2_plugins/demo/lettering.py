"""The words on a picture: a caption, a badge that says what it is, and a number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ima2_plugins.demo.palette import Colour

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_CREAM: Colour = (255, 251, 240)
_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NanumGothic.ttf",
    "AppleSDGothicNeo.ttc",
    "malgun.ttf",
    "msyh.ttc",
    "DejaVuSans.ttf",
)
"""Looked for where Pillow's own font lacks a letter."""


def letter(image: Image.Image, caption: str, mark: str = "") -> None:
    """Write on a finished picture: caption below, badge and number above. Small pictures get what fits."""
    unit = min(image.size)
    if unit >= 200:
        _caption(image, caption, max(11.0, unit * 0.024))
    size = max(9.0, unit * 0.0185)
    pad = round(max(4, unit * 0.022))
    badge = "ima2 demo" if image.width >= 110 else "demo"
    _pill(image, badge, size, image.width - pad, pad, from_right=True)
    if mark:
        _pill(image, mark, size, pad, pad, from_right=False)


def _caption(image: Image.Image, words: str, size: float) -> None:
    font = font_for(words, size)
    margin = round(min(image.size) * 0.045)
    if font is None or not words:
        return
    lines = wrapped(words, font, image.width - 2 * margin - round(size))
    step = size * 1.5
    top = image.height - margin - step * len(lines) + size * 0.35
    veil = round(min(image.height * 0.5, image.height - top + size * 4))
    shade = Image.linear_gradient("L").point([round(0.72 * level) for level in range(256)]).resize((image.width, veil))
    image.paste((8, 8, 18), (0, image.height - veil), shade)
    text = Image.new("L", image.size)
    draw = ImageDraw.Draw(text)
    for number, line in enumerate(lines):
        draw.text((margin + size * 0.7, top + number * step), line, font=font, fill=255)
    draw.rectangle(
        (margin, top + size * 0.1, margin + max(1, size * 0.1), top + step * len(lines) - size * 0.3), fill=190
    )
    box = (0, max(0, round(top - size)), image.width, image.height)
    shadow = text.crop(box).filter(ImageFilter.GaussianBlur(size * 0.16)).point([level // 2 for level in range(256)])
    image.paste((0, 0, 0), (0, box[1] + max(1, round(size * 0.07))), shadow)
    image.paste(_CREAM, (0, 0), text)


def _pill(image: Image.Image, words: str, size: float, x: int, y: int, *, from_right: bool) -> None:
    """A small dark label with round ends; ``x`` is its right or left edge."""
    font = ImageFont.load_default(size)
    scale = 3
    wide, high = round(font.getlength(words) + size * 1.3), round(size * 1.75)
    plate = Image.new("L", (wide * scale, high * scale))
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, wide * scale - 1, high * scale - 1), high * scale / 2, fill=175)
    left = x - wide if from_right else x
    image.paste((12, 12, 24), (left, y), plate.reduce(scale))
    rim = Image.new("L", plate.size)
    box = (0, 0, wide * scale - 1, high * scale - 1)
    ImageDraw.Draw(rim).rounded_rectangle(box, high * scale / 2, outline=120, width=max(2, scale))
    image.paste(_CREAM, (left, y), rim.reduce(scale))
    ImageDraw.Draw(image).text((left + wide / 2, y + high / 2), words, font=font, fill=_CREAM, anchor="mm")


def wrapped(words: str, font: Font, width: float, most: int = 2) -> list[str]:
    """The words in at most ``most`` lines, cut with an ellipsis."""
    lines: list[str] = []
    rest = words
    while rest and len(lines) < most:
        end = _fitting(rest, font, width)
        if end >= len(rest):
            return [*lines, rest]
        last = len(lines) == most - 1
        space = rest.rfind(" ", 0, end + 1)
        cut = space if space > end * 0.4 else end
        lines.append(rest[: _fitting(rest, font, width - font.getlength("…"))].rstrip() + "…" if last else rest[:cut])
        rest = rest[cut:].lstrip()
    return lines


def _fitting(words: str, font: Font, width: float) -> int:
    """How many characters fit."""
    low, high = 1, min(len(words), 400)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(words[:middle]) <= width else (low, middle - 1)
    return low


def font_for(words: str, size: float) -> Font | None:
    """Pillow's own font, or one of this computer that has all the letters, or ``None``."""
    own = ImageFont.load_default(size)
    letters = sorted({one for one in words if not one.isspace()})
    if has_letters(own, letters):
        return own
    for name in _FONTS:
        font = _installed(name, round(size))
        if font is not None and has_letters(font, letters):
            return font
    return None


@cache
def _installed(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def has_letters(font: Font, letters: Sequence[str]) -> bool:
    """Whether a font draws each of these as something of its own."""
    missing = bytes(font.getmask("\U0010fffe"))
    return all(bytes(font.getmask(one)) != missing for one in letters)
