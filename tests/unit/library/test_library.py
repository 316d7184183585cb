"""The gallery: files are the truth, the index follows them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.unit.library.listing import listed, names

import ima2
from ima2 import LibraryQuery, Picture
from ima2.library import Gallery
from ima2.library.names import is_media, thumb_of, url_of
from ima2.library.sidecar import row_of
from ima2.media.embed import embed, read
from ima2.testing import picture


async def test_what_is_kept_is_listed_with_its_story_and_soon_has_a_thumbnail(library: Gallery) -> None:
    kept = await library.keep("1700_aa_0.png", picture(), {"prompt": "a boat", "created_at": 1700, "request_id": "r1"})
    await library.thumbs.settled()
    (row,) = await listed(library)
    assert (row["prompt"], row["createdAt"], row["requestId"]) == ("a boat", 1700, "r1")
    assert row["thumb"] == "/generated/1700_aa_0.thumb.jpg"
    assert (await library.storage.get("1700_aa_0.thumb.jpg"))[:3] == b"\xff\xd8\xff"
    assert (library.index.total, kept.warnings) == (1, ())


async def test_a_picture_carries_its_story_unless_that_is_not_wanted(library: Gallery) -> None:
    facts = {"prompt": "a boat", "created_at": 1700}
    first = await library.keep("a.png", picture(), facts)
    second = await library.keep("b.png", picture(), facts, embedded=False)
    assert (read(first.picture.data).metadata or {})["prompt"] == "a boat"
    assert second.picture == picture()


async def test_an_existing_folder_is_indexed_with_sidecars_embedded_stories_and_bare_files(library: Gallery) -> None:
    put = library.storage.put
    await put("100_a_0.png", picture().data)
    await put("100_a_0.png.json", json.dumps({"prompt": "from a sidecar", "createdAt": 100}).encode())
    await put("200_b_0.jpeg", embed(picture(media_type="image/jpeg").data, {"prompt": "from within", "createdAt": 200}))
    await put("series/300_c.webp", picture(media_type="image/webp").data)
    await put("cards/one.png", picture().data)
    await put("cards/one.json", json.dumps({"headline": "from a card"}).encode())
    await put(".trash/gone.png", picture().data)
    await put("notes.txt", b"no picture")
    await library.refresh()
    rows = {row["filename"]: row for row in await listed(library)}
    assert set(rows) == {"100_a_0.png", "200_b_0.jpeg", "series/300_c.webp", "cards/one.png"}
    assert rows["100_a_0.png"]["prompt"] == "from a sidecar"
    assert rows["200_b_0.jpeg"]["prompt"] == "from within"
    assert rows["cards/one.png"]["headline"] == "from a card"


async def test_a_second_look_finds_what_changed_and_what_is_gone(library: Gallery) -> None:
    for number in range(3):
        await library.keep(f"{number}_a_0.png", picture(), {"prompt": str(number), "createdAt": number + 1})
    await library.storage.delete("0_a_0.png")
    await library.storage.put("9_new_0.png", picture().data)
    await library.refresh()
    assert set(await names(library)) == {"1_a_0.png", "2_a_0.png", "9_new_0.png"}
    assert library.index.total == 3


async def test_pages_follow_the_cursor_without_gap_or_repeat(library: Gallery) -> None:
    for number in range(7):
        await library.keep(f"n{number}.png", picture(), {"createdAt": 1000 + number // 2})
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        rows, more = await library.rows(LibraryQuery(**query))
        seen += [row.key for row in rows]
        if not more:
            break
        query = {"limit": 2, "before": rows[-1].created_at, "before_key": rows[-1].key}
    assert seen == [f"n{number}.png" for number in (6, 5, 4, 3, 2, 1, 0)]
    assert await names(library, before=1001) == ["n1.png", "n0.png"]
    assert await names(library, since=1002) == ["n6.png"]


async def test_rows_are_found_by_session_and_by_request(library: Gallery) -> None:
    await library.keep("a.png", picture(), {"session_id": "s1", "request_id": "r1"})
    await library.keep("b.png", picture(), {"session_id": "s2", "request_id": "r1"})
    assert await names(library, session_id="s1") == ["a.png"]
    assert set(await names(library, request_id="r1")) == {"a.png", "b.png"}
    assert await names(library, session_id="s2", request_id="r2") == []


async def test_what_is_learnt_later_is_added(library: Gallery) -> None:
    await library.keep("1_a_0.png", picture(), {"prompt": "p", "usage": None, "createdAt": 5})
    assert await library.amend("1_a_0.png", {"usage": {"total_tokens": 9}, "elapsed": 1.5}) == ()
    (row,) = await listed(library)
    assert (row["usage"], row["elapsed"], row["prompt"]) == ({"total_tokens": 9}, 1.5, "p")
    assert json.loads(await library.storage.get("1_a_0.png.json"))["elapsed"] == 1.5


async def test_two_that_learn_something_at_once_lose_nothing(library: Gallery) -> None:
    await library.keep("a.png", picture(), {"prompt": "p"})
    await asyncio.gather(*(library.amend("a.png", {f"fact_{number}": number}) for number in range(8)))
    sidecar = json.loads(await library.storage.get("a.png.json"))
    assert [sidecar[f"fact{number}"] for number in range(8)] == list(range(8))


async def test_what_a_picture_carries_is_not_forgotten_when_something_is_added(library: Gallery) -> None:
    await library.storage.put("a.png", embed(picture().data, {"prompt": "from within", "createdAt": 7}))
    await library.amend("a.png", {"kind": "edit"})
    (row,) = await listed(library)
    assert (row["prompt"], row["kind"], row["createdAt"]) == ("from within", "edit", 7)


async def test_a_file_that_is_not_there_has_nothing_to_be_added_to(library: Gallery) -> None:
    with pytest.raises(KeyError):
        await library.amend("no.png", {"prompt": "p"})
    with pytest.raises(KeyError):
        await library.get("no.png")


async def test_one_file_tells_all_that_its_sidecar_says_in_our_names(library: Gallery) -> None:
    await library.keep("a.png", picture(), {"prompt": "p", "created_at": 8, "stage_label": "A", "session_id": "s"})
    await library.thumbs.settled()
    item = await library.get("a.png")
    assert (item.facts["stage_label"], item.facts["created_at"], item.session_id) == ("A", 8, "s")
    assert (item.url, item.thumb_url) == ("/generated/a.png", "/generated/a.thumb.jpg")
    page = await library.page(LibraryQuery())
    assert [one.facts["prompt"] for one in page.items] == ["p"]
    assert (page.more, page.total) == (False, 1)
    assert await library.read("a.png", 1, 4) == b"PNG"


async def test_a_file_that_is_added_gets_a_name_of_its_own(library: Gallery) -> None:
    first = await library.add(picture(), {"kind": "imported"}, folder="mine", name="x")
    second = await library.add(picture(), {"kind": "imported"}, folder="mine", name="x")
    third = await library.add(picture(media_type="image/webp"), {})
    assert (first.key, second.key) == ("mine/x.png", "mine/x-2.png")
    assert third.key.endswith(".webp")
    assert "/" not in third.key
    with pytest.raises(ima2.Ima2Error) as failure:
        await library.add(Picture(b"GIF89a", "image/gif"), {})
    assert failure.value.status == 400


async def test_the_count_is_right_after_many_were_saved_at_once(library: Gallery) -> None:
    await asyncio.gather(*(library.keep(f"{number}.png", picture(), {}) for number in range(20)))
    assert library.index.total == 20
    await asyncio.gather(
        *(library.keep(f"{number}.png", picture(), {}) for number in range(15, 25)),
        library.erase(["0.png", "1.png"]),
    )
    assert library.index.total == 23


@pytest.mark.parametrize("key", ["../x.png", "a/b/c/d/e.png", ".hidden.png", "x\x00.png"])
async def test_nothing_is_kept_under_a_name_that_is_no_key(library: Gallery, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        await library.keep(key, picture(), {})


async def test_a_fact_that_is_no_json_is_left_out_and_the_others_stay(library: Gallery) -> None:
    await library.keep("a.png", picture(), {"prompt": "p", "odd": {1, 2}, "huge": 2**80, "created_at": 2**70})
    (row,) = await listed(library)
    assert row["prompt"] == "p"
    assert json.loads(await library.storage.get("a.png.json")).keys() == {"prompt"}


async def test_the_clips_of_a_series_are_found_by_their_topic(library: Gallery) -> None:
    for number, topic in enumerate(['a "fox"', "100%", 'a "fox"', 'a "fox"']):
        facts = {"created_at": number + 1, "revised_prompt": f"scene {number}", "video_series": {"topic": topic}}
        await library.keep(f"{number}.mp4", picture(), facts, embedded=False)
    await library.keep("9.png", picture(), {"video_series": {"topic": 'a "fox"'}, "prompt": "no clip"})
    await library.keep("8.mp4", picture(), {"prompt": '"topic":"100%"'}, embedded=False)
    assert await library.series('a "fox"', 2) == (["scene 2", "scene 3"], 3)
    assert await library.series("100%", 4) == (["scene 1"], 1)
    assert await library.series("1__%", 4) == ([], 0)


def test_names_give_their_addresses_and_thumbnails() -> None:
    assert url_of("cardnews/cs 1/card-01.png") == "/generated/cardnews/cs%201/card-01.png"
    assert url_of("café!'()*.png") == "/generated/caf%C3%A9!'()*.png"
    assert thumb_of("a.b.png") == "a.b.thumb.jpg"
    assert thumb_of("a.mp4") == "a.mp4.thumb.jpg"
    names = ("a.PNG", "a.mp4", "a.thumb.jpg", "a.json", "a")
    assert [is_media(name) for name in names] == [True, True, False, False, False]


def test_a_row_has_every_field_of_the_wire_whatever_the_sidecar_holds() -> None:
    odd = {"createdAt": 12.7, "usage": None, "video": "x", "canvasVersion": 1, "sequenceIndex": True}
    row = row_of("a.png", odd, 99)
    assert (row["createdAt"], row["video"], row["canvasVersion"], row["sequenceIndex"]) == (12, None, False, None)
    assert row_of("a.mp4", {}, 99)["mediaType"] == "video"


@pytest.mark.parametrize("time", ["soon", 1e300, 2**70, -5, 0, float("nan"), True, 8_640_000_000_000_001])
def test_a_time_that_is_none_counts_as_absent(time: object) -> None:
    assert row_of("a.png", {"createdAt": time}, 99)["createdAt"] == 99
