"""Both thumbnailers keep the same promises."""

import asyncio
import io
import os
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

import ima2
from ima2_plugins import pillow_thumbs, vips_thumbs

TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
CASES = [("pillow", form) for form in TYPES] + [("vips", "PNG")]


@pytest.fixture
async def thumbnailers() -> AsyncIterator[dict[str, ima2.Thumbnailer]]:
    offered = [*pillow_thumbs.ima2_thumbnailers(), *vips_thumbs.ima2_thumbnailers()]
    for one in offered:
        await one.open()
    yield {one.id: one for one in offered}
    for one in offered:
        await one.close()
        await one.close()


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    name, form = request.param
    if name == "vips":
        pytest.importorskip("pyvips")
    return name, form


def picture(image: Image.Image, form: str = "PNG", **options: object) -> ima2.Picture:
    out = io.BytesIO()
    image.save(out, form, **options)
    return ima2.Picture(out.getvalue(), TYPES[form])


def halves(width: int = 1000, height: int = 600) -> Image.Image:
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    return image


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    image.load()
    return image


def colour(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = image.convert("RGB").getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def header_only(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + rows + chunk(b"IEND", b"")


Offered = dict[str, ima2.Thumbnailer]


async def test_a_large_picture_becomes_320_pixels_wide(thumbnailers: Offered, case: tuple[str, str]) -> None:
    name, form = case
    small = opened(await thumbnailers[name].thumbnail(picture(halves(), form)))
    assert small.size == (320, 192)
    assert colour(small, 40, 90)[0] > 240
    assert colour(small, 280, 90)[2] > 240


async def test_a_small_picture_is_not_enlarged(thumbnailers: Offered, case: tuple[str, str]) -> None:
    name, form = case
    assert opened(await thumbnailers[name].thumbnail(picture(halves(200, 900), form))).size == (200, 900)
    assert opened(await thumbnailers[name].thumbnail(picture(halves(320, 10), form))).size == (320, 10)


async def test_another_width_can_be_asked_for(thumbnailers: Offered, case: tuple[str, str]) -> None:
    name, form = case
    assert opened(await thumbnailers[name].thumbnail(picture(halves(), form), 64)).width == 64
    assert opened(await thumbnailers[name].thumbnail(picture(halves(3000, 1), form), 64)).size == (64, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_turned_pictures_stand_upright(thumbnailers: Offered, case: tuple[str, str], orientation: int) -> None:
    name, form = case
    exif = Image.Exif()
    exif[0x0112] = orientation
    small = opened(await thumbnailers[name].thumbnail(picture(halves(), form, exif=exif.tobytes())))
    assert small.size == ((320, 192) if orientation < 5 else (320, 533))
    assert small.getexif().get(0x0112, 1) == 1
    middle, low, high = small.height // 2, 20, small.width - 20
    spot = {1: (low, middle), 2: (high, middle), 3: (high, middle), 4: (low, middle)}.get(orientation)
    spot = spot or (160, 20 if orientation in (5, 6) else small.height - 20)
    assert colour(small, *spot)[0] > 240


async def test_transparent_parts_are_white(thumbnailers: Offered, case: tuple[str, str]) -> None:
    name, form = case
    if form == "JPEG":
        pytest.skip("JPEG has no transparency")
    clear = Image.new("RGBA", (800, 400), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 400, 400))
    small = opened(await thumbnailers[name].thumbnail(picture(clear, form)))
    assert min(colour(small, 250, 80)) > 245
    assert colour(small, 60, 80)[0] > 245


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGBA"])
async def test_every_kind_of_png_is_taken(thumbnailers: Offered, mode: str) -> None:
    image = Image.new("I;16", (500, 500), 0x8000) if mode == "I;16" else halves(500, 500).convert(mode)
    for name, one in thumbnailers.items():
        if one.problem() is None:
            small = opened(await one.thumbnail(picture(image)))
            assert small.size == (320, 320), name
            if mode == "I;16":
                assert abs(colour(small, 100, 100)[0] - 128) < 8, name


async def test_a_print_ready_jpeg_is_taken(thumbnailers: Offered) -> None:
    small = opened(await thumbnailers["pillow"].thumbnail(picture(halves().convert("CMYK"), "JPEG")))
    assert (small.mode, small.size) == ("RGB", (320, 192))


async def test_a_file_is_taken_by_its_path(thumbnailers: Offered, case: tuple[str, str], tmp_path: Path) -> None:
    name, form = case
    path = tmp_path / "picture.bin"
    path.write_bytes(picture(halves(), form).data)
    assert opened(await thumbnailers[name].thumbnail(path)).size == (320, 192)


async def test_a_decompression_bomb_is_refused_by_its_header(thumbnailers: Offered) -> None:
    for one in thumbnailers.values():
        if one.problem() is None:
            for size in ((10_001, 10_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)):
                with pytest.raises(ima2.Ima2Error) as caught:
                    await one.thumbnail(ima2.Picture(header_only(*size), "image/png"))
                assert (caught.value.code, caught.value.status) == ("IMAGE_TOO_LARGE", 413)


async def test_a_webp_and_a_jpeg_bomb_are_refused_too(thumbnailers: Offered) -> None:
    webp = bytearray(picture(halves(20, 20), "WEBP", icc_profile=bytes(128)).data)
    webp[24:30] = b"\xfe\xff\x00\xfe\xff\x00"
    jpeg = bytearray(picture(halves(20, 20), "JPEG").data)
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    for data in (webp, jpeg):
        with pytest.raises(ima2.Ima2Error) as caught:
            await thumbnailers["pillow"].thumbnail(ima2.Picture(bytes(data), "image/any"))
        assert caught.value.code == "IMAGE_TOO_LARGE"


async def test_a_picture_close_to_the_limit_warns_nobody(thumbnailers: Offered) -> None:
    """95 megapixels, more than Pillow itself likes: the file is broken, and that is all that is said."""
    with pytest.raises(ima2.Ima2Error) as caught:
        await thumbnailers["pillow"].thumbnail(ima2.Picture(header_only(9_500, 10_000)[:2000], "image/png"))
    assert caught.value.code == "IMAGE_INVALID"


async def test_broken_and_foreign_files_are_refused(thumbnailers: Offered, case: tuple[str, str]) -> None:
    name, form = case
    whole = picture(Image.frombytes("RGB", (400, 400), os.urandom(480_000)), form).data
    broken = [whole[:length] for length in (0, 5, 40, len(whole) // 3, len(whole) // 2)]
    for data in (*broken, b"GIF89a" + bytes(40), b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"):
        with pytest.raises(ima2.Ima2Error) as caught:
            await thumbnailers[name].thumbnail(ima2.Picture(data, TYPES[form]))
        assert (caught.value.code, caught.value.status) == ("IMAGE_INVALID", 400)


async def test_the_event_loop_goes_on_meanwhile(thumbnailers: Offered, case: tuple[str, str]) -> None:
    name, form = case
    source = picture(Image.frombytes("RGB", (1500, 1500), os.urandom(6_750_000)), form)
    work = asyncio.gather(*(thumbnailers[name].thumbnail(source) for _ in range(6)))
    turns = 0
    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert {opened(data).size for data in await work} == {(320, 320)}
    assert turns > 5


def test_where_libvips_is_missing_the_plugin_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    (vips,) = vips_thumbs.ima2_thumbnailers()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert vips.problem() == "libvips is not installed. Install ima2[vips] for faster thumbnails."


def test_libvips_comes_before_pillow_where_it_takes_the_type() -> None:
    (vips,) = vips_thumbs.ima2_thumbnailers()
    (pillow,) = pillow_thumbs.ima2_thumbnailers()
    assert vips.preference > pillow.preference
    assert vips.media_types == ("image/png",)
    assert set(pillow.media_types) == set(TYPES.values())
