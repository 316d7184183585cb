"""Every picture has a thumbnail of its own, made by what it is."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.unit.library.listing import listed

from ima2 import Picture, Thumbnailer
from ima2.database.sqlite import Database
from ima2.kernel.registry import Registry
from ima2.library import Gallery
from ima2.testing import picture

RED, BLUE = "#ff0000", "#0000ff"


def color(data: bytes) -> str:
    red, _, blue = Image.open(io.BytesIO(data)).convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    return RED if red > blue else BLUE


async def thumbs(library: Gallery) -> dict[str, str]:
    """The colour of each file's thumbnail."""
    found = {}
    for row in await listed(library):
        found[row["filename"]] = color(await library.storage.get(row["thumb"].removeprefix("/generated/")))
    return found


async def test_pictures_that_differ_only_in_their_extension_share_no_thumbnail(library: Gallery) -> None:
    await library.keep("x.png", picture(color=RED), {})
    await library.thumbs.settled()
    await library.keep("x.jpg", picture(color=BLUE, media_type="image/jpeg"), {})
    await library.thumbs.settled()
    assert await thumbs(library) == {"x.png": RED, "x.jpg": BLUE}
    await library.refresh()
    await library.thumbs.settled()
    assert await thumbs(library) == {"x.png": RED, "x.jpg": BLUE}


async def test_a_shared_thumbnail_that_was_found_is_nobodys(library: Gallery) -> None:
    for name, shade in (("x.png", RED), ("x.webp", BLUE)):
        await library.storage.put(name, picture(color=shade, media_type=f"image/{name[2:]}").data)
    await library.storage.put("x.thumb.jpg", picture(color=BLUE, media_type="image/jpeg").data)
    await library.refresh()
    await library.thumbs.settled()
    assert await thumbs(library) == {"x.png": RED, "x.webp": BLUE}


async def test_thumbnails_that_are_there_are_known_after_a_walk_and_not_made_again(
    library: Gallery, database: Database, registry: Registry
) -> None:
    await library.storage.put("a.png", picture(color=RED).data)
    await library.storage.put("a.thumb.jpg", picture(color=BLUE, media_type="image/jpeg").data)
    await library.storage.put("b.mp4", b"\0\0\0\x18ftypisom")
    await library.storage.put("b.mp4.thumb.jpg", picture(media_type="image/jpeg").data)
    await library.refresh()
    await library.thumbs.settled()
    rows = {row["filename"]: row["thumb"] for row in await listed(library)}
    assert rows == {"a.png": "/generated/a.thumb.jpg", "b.mp4": "/generated/b.mp4.thumb.jpg"}
    assert color(await library.storage.get("a.thumb.jpg")) == BLUE
    assert await library.index.without_thumb() == []


async def test_a_picture_under_another_types_name_has_a_thumbnail(library: Gallery) -> None:
    await library.keep("a.png", picture(color=RED, media_type="image/webp"), {}, embedded=False)
    await library.keep("b.mp4", picture(color=BLUE), {}, embedded=False)
    await library.thumbs.settled()
    assert await thumbs(library) == {"a.png": RED, "b.mp4": BLUE}


async def test_another_content_under_the_same_name_has_another_thumbnail(library: Gallery) -> None:
    await library.keep("a.png", picture(color=RED), {})
    await library.thumbs.settled()
    await library.keep("a.png", picture(30, 30, color=BLUE), {})
    await library.thumbs.settled()
    assert await thumbs(library) == {"a.png": BLUE}


class Slow(Thumbnailer):
    """Waits to be let go."""

    id = "slow"
    media_types = ("image/png",)
    preference = 99

    def __init__(self) -> None:
        self.begun, self.go_on, self.made = asyncio.Event(), asyncio.Event(), 0

    async def thumbnail(self, source: Picture | Path, width: int = 320) -> bytes:
        data = source.read_bytes() if isinstance(source, Path) else source.data
        self.made += 1
        self.begun.set()
        await self.go_on.wait()
        return picture(color=color(data), media_type="image/jpeg").data


async def test_a_content_that_changes_while_its_thumbnail_is_made_gets_another(
    library: Gallery, registry: Registry
) -> None:
    slow = Slow()
    registry.thumbnailers["slow"] = slow
    await library.keep("a.png", picture(color=RED), {})
    await slow.begun.wait()
    library.thumbs.soon("a.png")
    await library.keep("a.png", picture(30, 30, color=BLUE), {})
    slow.go_on.set()
    await library.thumbs.settled()
    assert await thumbs(library) == {"a.png": BLUE}
    assert slow.made == 2


async def test_a_file_that_is_no_picture_is_tried_once(library: Gallery, caplog: pytest.LogCaptureFixture) -> None:
    await library.storage.put("bad.png", picture().data[:60])
    await library.storage.put("odd.png", b"no picture at all")
    for _ in range(2):
        await library.refresh()
        await library.thumbs.settled()
    warned: list[Any] = [record for record in caplog.records if "no thumbnail" in record.message]
    assert len(warned) == 1
    assert [row["thumb"] for row in await listed(library)] == [None, None]
