"""Decoding and encoding pictures, for the few times that pixels really have to change. All of it blocks."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ima2.errors import Ima2Error
from ima2.media.sniff import JPEG, PNG, WEBP, media_type_of, size_of
from ima2.models import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 100_000_000
_LADDER = ((3840, (85, 75, 65, 55)), (2048, (75, 65, 55)))
_LONGEST_EDGE = {PNG: 2**31 - 1, JPEG: 65_500, WEBP: 16_383}
_CHANNELS = {"L": b"GRAY", "LA": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB "}


def open_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> Image:
    """A PNG, JPEG or WebP as a Pillow image, its pixels not decoded yet (``load`` does that and may raise ``OSError``).

    The size in the header is checked before anything is allocated, and only these three decoders are ever
    tried. Raises `Ima2Error` ``IMAGE_TOO_LARGE`` (413) and ``IMAGE_INVALID`` (400).
    """
    from PIL import JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    size = size_of(data)
    if size is not None and size[0] * size[1] > max_pixels:
        raise Ima2Error("IMAGE_TOO_LARGE", 413, f"The picture has more than {max_pixels // 1_000_000} megapixels.")
    kinds: dict[str | None, Any] = {
        PNG: PngImagePlugin.PngImageFile,
        JPEG: JpegImagePlugin.JpegImageFile,
        WEBP: WebPImagePlugin.WebPImageFile,
    }
    try:
        image: Image = kinds[media_type_of(data)](io.BytesIO(data))
    except Exception:  # Pillow's parsers raise nearly anything for broken input
        raise invalid_picture() from None
    if size is None or image.width * image.height > max_pixels:
        raise invalid_picture()
    return image


def invalid_picture() -> Ima2Error:
    """400 ``IMAGE_INVALID``."""
    return Ima2Error("IMAGE_INVALID", 400, "The file is no readable PNG, JPEG or WebP picture.")


def convert(data: bytes, media_type: str, max_pixels: int = MAX_PIXELS) -> bytes:
    """The picture as ``image/png``, ``image/jpeg`` (quality 92) or ``image/webp`` (90).

    Unchanged when it is that already; else turned upright, transparency on white where JPEG has none, and
    the colour profile kept if it still fits. Raises what `open_picture` raises, ``IMAGE_TOO_LARGE`` beyond the
    longest edge of the new format, and ``ValueError`` for another media type.
    """
    if media_type not in (PNG, JPEG, WEBP):
        raise ValueError(f"cannot convert to {media_type}")
    if media_type_of(data) == media_type:
        return data
    image = upright_picture(open_picture(data, max_pixels))
    if max(image.size) > _LONGEST_EDGE[media_type]:
        text = f"The picture is too large for this format: at most {_LONGEST_EDGE[media_type]} pixels an edge."
        raise Ima2Error("IMAGE_TOO_LARGE", 413, text)
    if media_type == JPEG:
        return _saved(flat_picture(image), "JPEG", quality=92)
    return _saved(image, "PNG") if media_type == PNG else _saved(image, "WEBP", quality=90)


def shrink(data: bytes, max_base64_chars: int) -> Picture:
    """The same bytes when their base64 text fits, else the best progressive JPEG that does.

    Tried in turn: within 3840 pixels at quality 85, 75, 65, 55, then within 2048 at 75, 65, 55. Raises what
    `open_picture` raises, and 400 ``REF_TOO_LARGE`` when nothing fits.
    """
    if _base64_chars(data) <= max_base64_chars:
        media_type = media_type_of(data)
        if media_type not in (PNG, JPEG, WEBP):
            raise invalid_picture()
        return Picture(data, media_type)
    image = flat_picture(upright_picture(open_picture(data)))
    for edge, qualities in _LADDER:
        image.thumbnail((edge, edge), reducing_gap=3.0)
        for quality in qualities:
            data = _saved(image, "JPEG", quality=quality, progressive=True)
            if _base64_chars(data) <= max_base64_chars:
                return Picture(data, JPEG)
    raise Ima2Error("REF_TOO_LARGE", 400, "The picture is too large to send, even made smaller. Use a smaller one.")


def upright_picture(image: Image) -> Image:
    """The decoded picture as it is meant to be seen, in 8 bits: its EXIF orientation applied.

    Its mode is ``L``, ``LA``, ``RGB`` or ``RGBA``. Raises ``IMAGE_INVALID`` for broken pixels.
    """
    from PIL import ImageOps

    profile = image.info.get("icc_profile")
    try:
        image.load()
        with suppress(Exception):  # an orientation that cannot be read turns nothing
            ImageOps.exif_transpose(image, in_place=True)
        turned = _plain(image)
    except Exception:  # Pillow's decoders raise nearly anything for broken input
        raise invalid_picture() from None
    turned.info = {"icc_profile": profile} if profile and profile[16:20] == _CHANNELS[turned.mode] else {}
    return turned


def flat_picture(image: Image) -> Image:
    """The picture without alpha: transparent parts on white."""
    from PIL.Image import new

    if image.mode not in ("LA", "RGBA"):
        return image
    opaque = "L" if image.mode == "LA" else "RGB"
    result = new(opaque, image.size, "white")
    result.paste(image.convert(opaque), mask=image.getchannel("A"))
    result.info = image.info
    return result


def _plain(image: Image) -> Image:
    """One of the modes that all three formats can come from."""
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion cuts instead of scaling
        return image.convert("I").point(lambda level: level / 256).convert("L")
    if image.has_transparency_data:
        return image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _saved(image: Image, form: str, **options: Any) -> bytes:
    profile = image.info.get("icc_profile")
    if profile and form == "WEBP" and profile[16:20] != b"RGB ":
        profile = None  # WebP has no grey: the profile would no longer describe the pixels
    out = io.BytesIO()
    image.save(out, form, icc_profile=profile, **options)
    return out.getvalue()


def _base64_chars(data: bytes) -> int:
    return 4 * ((len(data) + 2) // 3)
