"""Another file format than the one that came, and pictures small enough to be sent."""

import base64
import io
import os
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from ima2.errors import Ima2Error
from ima2.media.convert import convert, flat_picture, open_picture, shrink, upright_picture
from ima2.media.sniff import media_type_of, size_of

TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def at(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """A pixel as numbers, whatever the mode."""
    value = image.getpixel((x, y))
    return value if isinstance(value, tuple) else (int(value or 0),)


def halves() -> Image.Image:
    """60 by 40, left half red, right half blue."""
    image = Image.new("RGB", (60, 40), "blue")
    image.paste("red", (0, 0, 30, 40))
    return image


def header_only(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("source", TYPES)
@pytest.mark.parametrize("target", TYPES)
def test_every_format_becomes_every_other(source: str, target: str) -> None:
    before = encoded(halves(), source)
    after = convert(before, TYPES[target])
    assert media_type_of(after) == TYPES[target]
    assert size_of(after) == (60, 40)
    assert (after is before) == (source == target)
    red, _, blue = at(opened(after).convert("RGB"), 10, 20)
    assert red > 240
    assert blue < 20


@pytest.mark.parametrize("source", TYPES)
def test_a_turned_picture_stands_upright_and_is_not_turned_again(source: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    target = "image/webp" if source == "PNG" else "image/png"
    after = opened(convert(encoded(halves(), source, exif=exif.tobytes()), target))
    assert after.size == (40, 60)
    assert after.getexif().get(0x0112, 1) == 1
    assert at(after.convert("RGB"), 20, 10)[0] > 240


def test_an_orientation_nobody_can_read_turns_nothing() -> None:
    after = opened(convert(encoded(halves(), "JPEG", exif=b"Exif\0\0not a directory"), "image/png"))
    assert after.size == (60, 40)


def test_transparency_becomes_white_where_there_is_none() -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 10, 20))
    after = opened(convert(encoded(clear), "image/jpeg"))
    assert min(at(after, 16, 10)) > 245
    assert at(opened(convert(encoded(clear), "image/webp")), 16, 10)[3] == 0


def test_transparency_of_a_palette_survives() -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (4, 0, 8, 8))
    data = encoded(image, transparency=b"\x00\xff")
    assert at(opened(convert(data, "image/webp")), 1, 1)[3] == 0
    assert min(at(opened(convert(data, "image/jpeg")), 1, 1)) > 245


def test_the_colour_profile_is_kept_where_it_still_fits() -> None:
    for target in ("image/png", "image/webp"):
        assert opened(convert(encoded(halves(), "JPEG", icc_profile=SRGB), target)).info["icc_profile"] == SRGB
    cmyk = encoded(halves().convert("CMYK"), "JPEG", icc_profile=SRGB[:16] + b"CMYK" + SRGB[20:])
    after = opened(convert(cmyk, "image/png"))
    assert after.mode == "RGB"
    assert "icc_profile" not in after.info


def test_sixteen_bits_of_grey_are_scaled_not_cut() -> None:
    after = opened(convert(encoded(Image.new("I;16", (4, 4), 0x8000)), "image/jpeg"))
    assert abs(at(after, 1, 1)[0] - 128) <= 1


def test_a_picture_with_too_many_pixels_is_refused_by_its_header() -> None:
    with pytest.raises(Ima2Error) as caught:
        convert(header_only(50_000, 50_000), "image/jpeg")
    assert (caught.value.code, caught.value.status) == ("IMAGE_TOO_LARGE", 413)
    with pytest.raises(Ima2Error, match="megapixels"):
        open_picture(encoded(halves()), max_pixels=60 * 40 - 1)
    assert open_picture(encoded(halves()), max_pixels=60 * 40).size == (60, 40)


def test_a_picture_just_below_the_limit_raises_no_warning() -> None:
    assert open_picture(header_only(9_999, 9_999)).size == (9_999, 9_999)


def test_an_edge_the_new_format_cannot_hold_is_refused() -> None:
    with pytest.raises(Ima2Error, match="16383") as caught:
        convert(encoded(Image.new("L", (17_000, 2))), "image/webp")
    assert caught.value.code == "IMAGE_TOO_LARGE"


@pytest.mark.parametrize("form", TYPES)
def test_broken_pictures_are_refused_wherever_they_break(form: str) -> None:
    whole = encoded(Image.frombytes("RGB", (40, 40), os.urandom(4800)), form)
    target = "image/png" if form == "JPEG" else "image/jpeg"
    for length in (0, 3, 12, 20, 31, len(whole) // 4, len(whole) // 2):
        with pytest.raises(Ima2Error) as caught:
            convert(whole[:length], target)
        assert (caught.value.code, caught.value.status) == ("IMAGE_INVALID", 400)


def test_other_kinds_of_pictures_are_not_even_tried() -> None:
    with pytest.raises(Ima2Error) as caught:
        convert(encoded(halves(), "TIFF"), "image/png")
    assert caught.value.code == "IMAGE_INVALID"
    with pytest.raises(ValueError, match="image/gif"):
        convert(encoded(halves()), "image/gif")


class TestShrinking:
    def noise(self, edge: int) -> bytes:
        return encoded(Image.frombytes("RGB", (edge, edge), os.urandom(edge * edge * 3)))

    def test_a_picture_that_fits_stays_as_it_is(self) -> None:
        data = encoded(halves())
        same = shrink(data, len(base64.b64encode(data)))
        assert same.data is data
        assert same.media_type == "image/png"

    def test_what_is_no_picture_is_refused_however_small(self) -> None:
        for limit in (3, 1000):
            with pytest.raises(Ima2Error) as caught:
                shrink(b"words", limit)
            assert caught.value.code == "IMAGE_INVALID"

    def test_one_character_too_many_makes_it_a_progressive_jpeg(self) -> None:
        data = self.noise(200)
        small = shrink(data, len(base64.b64encode(data)) - 1)
        assert small.media_type == media_type_of(small.data) == "image/jpeg"
        assert b"\xff\xc2" in small.data
        assert size_of(small.data) == (200, 200)

    def test_the_best_quality_that_fits_is_taken(self) -> None:
        image = Image.frombytes("RGB", (300, 300), os.urandom(270_000))
        sizes = {
            quality: len(base64.b64encode(encoded(image, "JPEG", quality=quality, progressive=True)))
            for quality in (85, 75, 65, 55)
        }
        data = encoded(image)
        for quality, size in sizes.items():
            assert len(base64.b64encode(shrink(data, size).data)) == size, quality

    def test_large_pictures_are_made_smaller_before_they_are_given_up(self) -> None:
        data = encoded(Image.effect_noise((4200, 600), 90).convert("RGB"))
        assert size_of(shrink(data, 1_600_000).data) == (3840, 549)
        assert size_of(shrink(data, 400_000).data) == (2048, 293)
        with pytest.raises(Ima2Error) as caught:
            shrink(data, 1000)
        assert (caught.value.code, caught.value.status) == ("REF_TOO_LARGE", 400)

    def test_transparency_ends_on_white_and_turned_pictures_upright(self) -> None:
        clear = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
        exif = Image.Exif()
        exif[0x0112] = 8
        data = encoded(clear, exif=exif.tobytes(), compress_level=0)
        small = opened(shrink(data, 8000).data)
        assert small.size == (200, 300)
        assert min(at(small, 100, 100)) == 255


def test_a_picture_without_alpha_is_flat_already() -> None:
    image = upright_picture(open_picture(encoded(halves(), "JPEG")))
    assert flat_picture(image) is image
