"""What was paid for and cannot be saved is set aside, and moves into the gallery later."""

from __future__ import annotations

import asyncio
import os
import stat
import tempfile
from pathlib import Path

import pytest
from tests.unit.library.listing import listed

import ima2
from ima2.library import Gallery, spool
from ima2.library.spool import Spool
from ima2.testing import picture


async def eventually(library: Gallery, name: str) -> str:
    """The key under which the gallery has a spooled file."""
    for _ in range(200):
        found = await library.spooled(name)
        if isinstance(found, str):
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("still in the spool")


async def test_a_picture_is_set_aside_privately_and_moves_once_that_is_possible(
    library: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem: list[str | None] = ["The folder is gone."]
    monkeypatch.setattr(library.storage, "problem", lambda: problem[0])
    library._rescue._pause_s = 0.01
    made = await library.spool(picture(), {"prompt": "p", "request_id": "r"}, key="set/1_a_0.png")
    assert made.url == f"/api/spool/{made.name}"
    assert made.path.read_bytes() == picture().data
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    await asyncio.sleep(0.05)
    assert await library.spooled(made.name) == made.path
    problem[0] = None
    assert await eventually(library, made.name) == "set/1_a_0.png"
    (row,) = await listed(library)
    assert (row["filename"], row["prompt"], row["requestId"]) == ("set/1_a_0.png", "p", "r")
    assert not made.path.exists()


async def test_a_name_that_is_taken_by_then_is_not_written_over(library: Gallery) -> None:
    await library.keep("a.png", picture(color="#111111"), {})
    made = await library.spool(picture(), {}, key="a.png")
    assert await eventually(library, made.name) == "a-2.png"


async def test_what_is_no_whole_picture_stays_aside(library: Gallery) -> None:
    library._rescue._pause_s = 0.01
    part = await library.spool(ima2.Picture(picture().data[:50], "image/png"), {"request_id": "r"})
    whole = await library.spool(picture(), {}, key="a.png")
    assert await eventually(library, whole.name) == "a.png"
    assert await library.spooled(part.name) == part.path
    assert library.index.total == 1


async def test_a_file_waits_for_the_next_start_too(library: Gallery, tmp_path: Path) -> None:
    left = Spool(tmp_path / "spool").put(picture(), {"prompt": "left"}, "b.png")
    await library.refresh()
    assert await eventually(library, left.name) == "b.png"


@pytest.mark.parametrize("name", ["", "../x", "1_0123456789ab.png/..", "x.png", "1_0123456789ab.png", ".note"])
async def test_only_names_of_the_spool_are_looked_for(library: Gallery, name: str) -> None:
    assert await library.spooled(name) is None


def test_a_second_folder_is_tried_and_one_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    made = Spool(tmp_path / "file" / "spool").put(picture(), {}, "a.png")
    assert made.path.parent == tmp_path / "ima2-spool"
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(ima2.Ima2Error) as failure:
        Spool(None).put(picture(), {}, "a.png")
    assert failure.value.code == "STORAGE_FAILED"


def test_notes_of_files_that_went_long_ago_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Spool(tmp_path / "spool")
    first, second = box.put(picture(), {}, "a.png"), box.put(picture(), {}, "b.png")
    box.moved(first.path, "a.png")
    box.sweep()
    assert box.find(first.name) == "a.png"
    monkeypatch.setattr(spool, "KEPT_S", -1)
    box.sweep()
    assert box.find(first.name) is None
    assert box.find(second.name) == second.path
    assert box.read(second.path)[2] == "b.png"
