"""The walk over the files: one bad item never hides the others, and nothing made meanwhile is lost."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.library.listing import listed, names

from ima2 import Stored
from ima2.library import Gallery, reading, watch
from ima2.library.scan import Scan
from ima2.testing import picture
from ima2_plugins.local_storage.storage import LocalStorage


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "generated")


@pytest.fixture
def folder(library: Gallery) -> Path:
    path = library.storage.local_path("x")
    assert path is not None
    return path.parent


GOOD = ["1_a_0.png", "2_a_0.png", "3_a_0.png"]


def fill(folder: Path) -> None:
    for name in GOOD:
        (folder / name).write_bytes(picture().data)


async def test_names_that_cannot_be_listed_hide_no_other_and_are_told(library: Gallery, folder: Path) -> None:
    fill(folder)
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes(picture().data)
    (folder / ("x" * 245 + ".png")).write_bytes(picture().data)
    (folder / "linked.png").symlink_to(folder / "1_a_0.png")
    (folder / "broken.png").symlink_to("nowhere")
    (folder / "a:b.txt").write_bytes(b"")
    deep = folder / "1" / "2" / "3"
    deep.mkdir(parents=True)
    (deep / "deep.png").write_bytes(picture().data)
    (folder / "bad\x07folder").mkdir()
    await library.refresh()
    assert set(await names(library)) == set(GOOD)
    told = library.unlisted()
    assert len(told) == 6
    assert "caf\\udce9.png" in told
    assert "bad\\x07folder/" in told
    assert "1/2/3/deep.png (deeper than 2 folders)" in told
    assert all(name.isprintable() for name in told)


@pytest.mark.parametrize(
    "sidecar",
    [
        b'{"prompt":"x","createdAt":1700000000000000000000}',
        b'{"prompt":"x","createdAt":1e300}',
        b'{"prompt":"x","elapsed":170000000000000000000000000000000000000}',
        b'{"prompt":{"deep":[1e999]},"sessionId":7,"requestId":["x"],"sequenceIndex":1e300}',
        b"{not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b"",
        b"null",
    ],
)
async def test_a_sidecar_that_cannot_be_read_hides_no_other(library: Gallery, folder: Path, sidecar: bytes) -> None:
    fill(folder)
    (folder / "2_a_0.png.json").write_bytes(sidecar)
    await library.refresh()
    rows = {row["filename"]: row for row in await listed(library)}
    assert set(rows) == set(GOOD)
    assert 0 < rows["2_a_0.png"]["createdAt"] < 10**15
    assert library.unlisted() == []


async def test_a_sidecar_that_is_a_folder_or_a_link_hides_no_other(library: Gallery, folder: Path) -> None:
    fill(folder)
    (folder / "1_a_0.png.json").mkdir()
    (folder / "2_a_0.png.json").symlink_to("nowhere")
    await library.refresh()
    assert set(await names(library)) == set(GOOD)


async def test_a_file_that_breaks_its_reader_is_told_and_the_others_are_there(
    library: Gallery, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder)
    real = reading._read_one

    def read(found: reading.Found, path: Path) -> Any:
        if found.key == "2_a_0.png":
            raise PermissionError("no")
        return real(found, path)

    monkeypatch.setattr(reading, "_read_one", read)
    await library.refresh()
    assert set(await names(library)) == {"1_a_0.png", "3_a_0.png"}
    assert library.unlisted() == ["2_a_0.png (PermissionError)"]


async def test_a_row_that_the_index_refuses_hides_no_other(
    library: Gallery, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder)
    real = library.index.put

    async def put(entries: Any) -> None:
        if any(entry.key == "2_a_0.png" for entry in entries):
            raise OverflowError
        await real(entries)

    monkeypatch.setattr(library.index, "put", put)
    await library.refresh()
    assert set(await names(library)) == {"1_a_0.png", "3_a_0.png"}
    assert [name.partition(" ")[0] for name in library.unlisted()] == ["2_a_0.png"]


async def test_a_picture_or_sidecar_that_changed_outside_is_read_anew(library: Gallery, folder: Path) -> None:
    await library.keep("a.png", picture(), {"prompt": "old", "created_at": 5})
    await library.keep("b.png", picture(), {"prompt": "same", "created_at": 4})
    await library.thumbs.settled()
    before = (folder / "a.thumb.jpg").read_bytes()
    (folder / "a.png.json").write_text(json.dumps({"prompt": "new", "createdAt": 5}))
    (folder / "a.png").write_bytes(picture(90, 20, color="#ff0000").data)
    for name in ("a.png", "a.png.json"):
        os.utime(folder / name, (2_000_000_000, 2_000_000_000))
    await library.refresh()
    await library.thumbs.settled()
    assert [row["prompt"] for row in await listed(library)] == ["new", "same"]
    assert (folder / "a.thumb.jpg").read_bytes() != before


async def test_a_thumbnail_that_was_deleted_is_made_again(library: Gallery, folder: Path) -> None:
    await library.keep("a.png", picture(), {})
    await library.thumbs.settled()
    (folder / "a.thumb.jpg").unlink()
    await library.refresh()
    await library.thumbs.settled()
    assert (folder / "a.thumb.jpg").exists()


async def test_a_picture_kept_while_the_folder_is_walked_stays_as_it_was_kept(
    library: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    await library.keep("old.png", picture(), {"prompt": "first"})
    await library.keep("gone.png", picture(), {})
    library.storage.local_path("old.png")
    real, walked, go_on = library.storage.list, asyncio.Event(), asyncio.Event()

    async def slow(prefix: str = "") -> AsyncIterator[Stored]:
        found = [stored async for stored in real(prefix)]
        walked.set()
        await go_on.wait()
        for stored in found:
            yield stored

    monkeypatch.setattr(library.storage, "list", slow)
    walk = library.refresh()
    await walked.wait()
    await library.keep("new.png", picture(), {"prompt": "new"})
    await library.amend("old.png", {"prompt": "second"})
    await library.erase(["gone.png"])
    go_on.set()
    await walk
    assert {row["filename"]: row["prompt"] for row in await listed(library)} == {"new.png": "new", "old.png": "second"}
    assert library.index.total == 2


async def test_leftovers_of_killed_writers_are_cleared_away_in_every_folder(library: Gallery, folder: Path) -> None:
    (folder / "set").mkdir()
    left = folder / "set" / ".a.png.1.0123456789ab.tmp"
    left.write_bytes(b"half")
    os.utime(left, (1.0, 1.0))
    (folder / "set" / "notes.tmp").write_bytes(b"mine")
    await library.refresh()
    assert sorted(path.name for path in (folder / "set").iterdir()) == ["notes.tmp"]


async def test_another_name_of_the_trash_is_left_out_too(library: Gallery, folder: Path) -> None:
    fill(folder)
    (folder / "bin").mkdir()
    (folder / "bin" / "gone.png").write_bytes(picture().data)
    scan = Scan(library.storage, library.index, library._reader, library._watch, skip="bin")
    await scan.run()
    assert set(await names(library)) == set(GOOD)


# -- when to look again ------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_S", 0.0)
    monkeypatch.setattr(watch, "QUIET_S", 0.05)
    monkeypatch.setattr(watch, "SHARE", 0)


async def shown(library: Gallery) -> set[str]:
    """What a page shows once the walk that it may have begun is over."""
    await names(library)
    if library._rescan is not None:
        await library._rescan
    await library.thumbs.settled()
    return set(await names(library))


@pytest.mark.usefixtures("quick")
async def test_files_that_come_and_go_are_seen(library: Gallery, folder: Path) -> None:
    assert await shown(library) == set()
    fill(folder)
    assert await shown(library) == set(GOOD)
    (folder / GOOD[0]).unlink()
    assert await shown(library) == set(GOOD[1:])


@pytest.mark.usefixtures("quick")
async def test_files_that_come_in_a_folder_of_the_gallery_are_seen(library: Gallery, folder: Path) -> None:
    (folder / "set").mkdir()
    (folder / "set" / "a.png").write_bytes(picture().data)
    assert await shown(library) == {"set/a.png"}
    (folder / "set" / "b.png").write_bytes(picture().data)
    assert await shown(library) == {"set/a.png", "set/b.png"}


@pytest.mark.usefixtures("quick")
async def test_a_file_that_comes_right_before_our_own_is_seen(library: Gallery, folder: Path) -> None:
    await shown(library)
    (folder / "other.png").write_bytes(picture().data)
    await library.keep("own.png", picture(), {})
    assert await shown(library) == {"other.png", "own.png"}


@pytest.mark.usefixtures("quick")
async def test_a_file_that_comes_while_we_write_is_seen_soon_after(library: Gallery, folder: Path) -> None:
    await shown(library)
    with library._watch.own():
        (folder / "other.png").write_bytes(picture().data)
    assert await shown(library) == set()
    await asyncio.sleep(0.06)
    assert await shown(library) == {"other.png"}


async def test_our_own_writing_alone_begins_no_walk(library: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_S", 0.0)
    monkeypatch.setattr(watch, "SHARE", 0)
    await shown(library)
    walk = library._rescan
    for number in range(3):
        await library.keep(f"{number}.png", picture(), {})
    await library.thumbs.settled()
    assert len(await names(library)) == 3
    assert library._rescan is walk


async def test_a_walk_that_took_long_is_not_repeated_at_once(folder: Path, storage: LocalStorage) -> None:
    looked = watch.Watch(storage)
    looked.end(looked.begin() - 10, [])
    (folder / "a.png").write_bytes(b"x")
    assert not looked.is_due()
    looked.end(looked.begin(), [])
    (folder / "b.png").write_bytes(b"x")
    assert looked.is_due()
