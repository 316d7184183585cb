"""The pictures of templates, drawn here: a base that models take as a reference, and a preview that names the slots."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageDraw, ImageFont

import ima2
from ima2_plugins.card_news.templates import EDGE, TEMPLATES, Slot, Template

SIDE = 1024
_DRAWN_AT = 2048
Box = tuple[float, float, float, float]


@cache
def base_picture(template_id: str) -> ima2.Picture:
    """The empty card, without a word on it: PNG of 1024 by 1024."""
    return _encode(_base(TEMPLATES[template_id]))


@cache
def preview_picture(template_id: str) -> ima2.Picture:
    """The card with its slots marked and named."""
    look = TEMPLATES[template_id]
    image = _base(look)
    draw = ImageDraw.Draw(image)
    for slot in look.slots:
        _mark(draw, look, slot)
    return _encode(image)


def _base(look: Template) -> Image.Image:
    ground, ink, accent, soft = look.colours
    image = Image.new("RGB", (_DRAWN_AT, _DRAWN_AT), ground)
    draw = ImageDraw.Draw(image)
    scenes = {"clean-report-square": _report, "academy-lesson-square": _lesson}
    scenes[look.id](draw, ink, accent, soft)
    return image


def _report(draw: ImageDraw.ImageDraw, ink: str, accent: str, soft: str) -> None:
    draw.rectangle((0, 0, EDGE, 36), fill=ink)
    draw.rectangle((160, 450, 1888, 456), fill=ink)
    draw.rectangle((160, 450, 460, 466), fill=accent)
    draw.rectangle((160, 500, 1888, 1480), fill=soft)
    for place, height in enumerate((240, 410, 330, 560, 690)):
        left = 420 + place * 260
        draw.rectangle((left, 1340 - height, left + 150, 1340), fill=accent if place == 4 else ink)
    draw.rectangle((340, 1340, 1708, 1348), fill=ink)
    draw.rectangle((160, 1570, 1888, 1574), fill=ink)
    draw.rectangle((160, 1940, 360, 1952), fill=accent)


def _lesson(draw: ImageDraw.ImageDraw, ink: str, accent: str, soft: str) -> None:
    for x, y, radius in ((1880, 120, 420), (90, 1960, 360)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill="#cfe1fa")
    draw.rounded_rectangle((100, 100, 1948, 1948), 120, fill=soft)
    draw.rounded_rectangle((200, 540, 1848, 1540), 90, fill="#eaf2fd")
    draw.ellipse((784, 720, 1264, 1200), fill=accent)
    draw.rounded_rectangle((904, 1170, 1144, 1350), 40, fill=ink)
    for place in range(3):
        draw.rectangle((904, 1210 + place * 46, 1144, 1222 + place * 46), fill=soft)
    for x0, y0, x1, y1 in ((620, 720, 700, 780), (1350, 780, 1430, 720), (560, 960, 660, 960), (1390, 960, 1490, 960)):
        draw.line((x0, y0, x1, y1), fill=ink, width=18)
    draw.rounded_rectangle((200, 480, 440, 496), 8, fill=accent)


def _mark(draw: ImageDraw.ImageDraw, look: Template, slot: Slot) -> None:
    ink, accent = look.colours[1], look.colours[2]
    x, y, wide, high = slot.box
    draw.rounded_rectangle((x, y, x + wide, y + high), 28, outline=accent, width=8)
    most = f" (up to {slot.max_chars} characters)" if slot.max_chars else ""
    at = (x + wide / 2, y + (high / 2 if slot.text else 70))
    draw.text(at, slot.label + most, font=ImageFont.load_default(64), fill=ink, anchor="mm")


def _encode(image: Image.Image) -> ima2.Picture:
    out = io.BytesIO()
    image.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return ima2.Picture(out.getvalue(), "image/png")
