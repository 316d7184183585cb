"""Pictures that come with a request: references that lend their colours, and a picture to change."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

from PIL import Image, ImageOps

import ima2
from ima2_plugins.demo.lettering import letter
from ima2_plugins.demo.painting import Brief, light_of, paint
from ima2_plugins.demo.palette import Colour, mix


def decoded(source: ima2.Source) -> Image.Image:
    """A picture of the request as RGBA, upright. Raises what `ima2.open_picture` raises; 400 for a link."""
    if not isinstance(source, ima2.Picture):
        raise ima2.Ima2Error(
            "DEMO_LINK_UNSUPPORTED", 400, "The demo works offline. Send the picture itself, not a link."
        )
    return ima2.upright_picture(ima2.open_picture(source.data)).convert("RGBA")


def tints(references: Sequence[ima2.Source]) -> tuple[Colour, ...]:
    """The most telling colour of each picture: plenty of it, and not grey."""
    return tuple(_tint(decoded(reference)) for reference in references)


def _tint(image: Image.Image) -> Colour:
    small = ima2.flat_picture(image.resize((48, 48), Image.Resampling.BOX)).quantize(8)
    palette = small.getpalette() or []
    best, score = (128, 128, 128), -1.0
    for count, index in small.getcolors() or []:
        assert isinstance(index, int)
        red, green, blue = palette[3 * index : 3 * index + 3]
        _, level, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
        worth = count**0.5 * (0.05 + saturation * (1 - abs(2 * level - 1)))
        if worth > score:
            best, score = (red, green, blue), worth
    return best


def edited(source: Image.Image, mask: Image.Image | None, brief: Brief) -> Image.Image:
    """A picture changed: where the mask is transparent it is painted anew, all else stays as it is to the bit.

    Without a mask the whole picture takes on the colours that the prompt asks for. Both are cut to the brief's
    size first. Raises 400 ``EDIT_MASK_DIMENSION_MISMATCH``.
    """
    if mask is not None and mask.size != source.size:
        text = "The mask has another size than the picture. Make both the same."
        raise ima2.Ima2Error("EDIT_MASK_DIMENSION_MISMATCH", 400, text)
    whole = _cut(source, brief.size)
    if mask is None:
        return _graded(whole, brief)
    hole = _cut(mask, brief.size).getchannel("A").point([255 - level for level in range(256)])
    box = hole.getbbox()
    if box is not None:
        size = box[2] - box[0], box[3] - box[1]
        patch = paint(brief.resized(size)).convert(whole.mode)
        whole.paste(patch, box[:2], hole.crop(box))
    return whole


def _cut(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.copy() if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def _graded(image: Image.Image, brief: Brief) -> Image.Image:
    """The picture in the light of the prompt, its own colours still to be seen."""
    colours = light_of(brief)
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    dark, bright = mix(colours.near, colours.sky[0], 0.25), mix(colours.lamp, colours.sky[-1], 0.3)
    toned = ImageOps.colorize(grey, dark, bright, colours.sky[2])
    flat = ima2.flat_picture(image)
    result = Image.blend(flat.convert("RGB"), toned, 0.62)
    letter(result, brief.wishes.text)
    if image.getchannel("A").getextrema()[0] != 255:
        result.putalpha(image.getchannel("A"))
    return result
