"""The gallery: files are the truth, the index follows them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ima2 import Storage
from ima2.database.sqlite import Database
from ima2.database.tables import TABLES
from ima2.kernel.registry import Registry
from ima2.library import Library, Query, splice
from ima2.library.rows import build, is_media, thumb_of, url_of
from ima2.media.embed import embed
from ima2.testing import MemoryStorage, picture
from ima2_plugins.local_storage.storage import LocalStorage
from ima2_plugins.pillow_thumbs.thumbnailer import PillowThumbnailer


@pytest.fixture(params=["folder", "bucket"])
async def library(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Library]:
    storage: Storage = LocalStorage(tmp_path / "generated") if request.param == "folder" else MemoryStorage()
    await storage.open()
    database = Database(tmp_path / "test.db")
    await database.open([("ima2", TABLES)])
    library = Library(storage, database, Registry(thumbnailers={"pillow": PillowThumbnailer()}))
    await library.open()
    yield library
    await library.close()
    await database.close()


async def listed(library: Library, **query: Any) -> list[dict[str, Any]]:
    rows, _ = await library.page(Query(**query))
    return [json.loads(splice(row, library.thumb_url(row))) for row in rows]


async def test_what_is_kept_is_listed_with_its_story_and_soon_has_a_thumbnail(library: Library) -> None:
    await library.keep("1700_aa_0.png", picture(), {"prompt": "a boat", "createdAt": 1700, "requestId": "r1"})
    await library.thumbs.settled()
    (row,) = await listed(library)
    assert (row["prompt"], row["createdAt"], row["requestId"]) == ("a boat", 1700, "r1")
    assert row["thumb"] == "/generated/1700_aa_0.thumb.jpg"
    assert (await library.storage.get("1700_aa_0.thumb.jpg"))[:3] == b"\xff\xd8\xff"
    assert library.index.total == 1


async def test_an_existing_folder_is_indexed_with_sidecars_embedded_stories_and_bare_files(library: Library) -> None:
    put = library.storage.put
    await put("100_a_0.png", picture().data)
    await put("100_a_0.png.json", json.dumps({"prompt": "from a sidecar", "createdAt": 100}).encode())
    await put("200_b_0.jpeg", embed(picture(media_type="image/jpeg").data, {"prompt": "from within", "createdAt": 200}))
    await put("series/300_c.webp", picture(media_type="image/webp").data)
    await put("broken.png", picture().data)
    await put("broken.png.json", b"{not json")
    await put(".trash/gone.png", picture().data)
    await put("notes.txt", b"no picture")
    await library.refresh()
    by_name = {row["filename"]: row for row in await listed(library)}
    assert set(by_name) == {"100_a_0.png", "200_b_0.jpeg", "series/300_c.webp", "broken.png"}
    assert by_name["100_a_0.png"]["prompt"] == "from a sidecar"
    assert by_name["200_b_0.jpeg"]["prompt"] == "from within"
    assert isinstance(by_name["broken.png"]["createdAt"], int)


async def test_a_second_look_finds_what_changed_and_what_is_gone(library: Library) -> None:
    for number in range(3):
        await library.keep(f"{number}_a_0.png", picture(), {"prompt": str(number), "createdAt": number + 1})
    await library.storage.delete("0_a_0.png")
    await library.storage.put("9_new_0.png", picture().data)
    await library.refresh()
    assert {row["filename"] for row in await listed(library)} == {"1_a_0.png", "2_a_0.png", "9_new_0.png"}
    assert library.index.total == 3


async def test_pages_follow_the_cursor_without_gap_or_repeat(library: Library) -> None:
    for number in range(7):
        await library.keep(f"n{number}.png", picture(), {"createdAt": 1000 + number // 2})
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        rows, more = await library.page(Query(**query))
        seen += [row.key for row in rows]
        if not more:
            break
        query = {"limit": 2, "before": rows[-1].created_at, "before_key": rows[-1].key}
    assert seen == [f"n{number}.png" for number in (6, 5, 4, 3, 2, 1, 0)]
    assert [row["filename"] for row in await listed(library, before=1001)] == ["n1.png", "n0.png"]
    assert [row["filename"] for row in await listed(library, since=1002)] == ["n6.png"]


async def test_what_is_learnt_later_is_added(library: Library) -> None:
    kept = await library.keep("1_a_0.png", picture(), {"prompt": "p", "usage": None, "createdAt": 5})
    await library.amend(kept, {"usage": {"total_tokens": 9}, "elapsed": 1.5})
    (row,) = await listed(library)
    assert (row["usage"], row["elapsed"], row["prompt"]) == ({"total_tokens": 9}, 1.5, "p")
    assert json.loads(await library.storage.get("1_a_0.png.json"))["elapsed"] == 1.5


@pytest.mark.parametrize("key", ["../x.png", "a/b/c/d/e.png", ".hidden.png", "x\x00.png"])
async def test_nothing_is_kept_under_a_name_that_is_no_key(library: Library, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        await library.keep(key, picture(), {})


def test_names_give_their_addresses_and_thumbnails() -> None:
    assert url_of("cardnews/cs 1/card-01.png") == "/generated/cardnews/cs%201/card-01.png"
    assert url_of("café!'()*.png") == "/generated/caf%C3%A9!'()*.png"
    assert thumb_of("a.b.png") == "a.b.thumb.jpg"
    assert thumb_of("a.mp4") == "a.mp4.thumb.jpg"
    assert [is_media(name) for name in ("a.PNG", "a.mp4", "a.thumb.jpg", "a.json", "a")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_row_has_every_field_of_the_wire_whatever_the_sidecar_holds() -> None:
    row = build(
        "a.png", {"createdAt": 12.7, "usage": None, "video": "x", "canvasVersion": 1, "sequenceIndex": True}, 99
    )
    assert (row["createdAt"], row["video"], row["canvasVersion"], row["sequenceIndex"]) == (12, None, False, None)
    assert build("a.mp4", {}, 99)["mediaType"] == "video"
    assert build("a.png", {"createdAt": "soon"}, 99)["createdAt"] == 99
