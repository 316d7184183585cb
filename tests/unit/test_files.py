"""Files are whole or absent."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ima2 import is_key, private_folder, sweep, write_whole


def test_a_file_is_written_for_its_owner_only_and_leaves_no_trace(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", b"{}")
    assert (tmp_path / "a.json").read_bytes() == b"{}"
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_file_that_may_not_be_replaced_stays(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"first")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "a", b"second", replace=False)
    assert (tmp_path / "a").read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_a_dead_writer_left_is_swept_away_and_a_living_ones_is_not(tmp_path: Path) -> None:
    (tmp_path / ".a.png.999999999.abc.tmp").write_bytes(b"half")
    mine = tmp_path / f".b.png.{os.getpid()}.abc.tmp"
    mine.write_bytes(b"being written")
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [mine]


def test_every_folder_that_is_made_is_private(tmp_path: Path) -> None:
    private_folder(tmp_path / "a" / "b")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a", tmp_path / "a" / "b")} == {0o700}


@pytest.mark.parametrize("key", ["a.png", "set/a.png", "a b.png", "café.png", "n_0a1b.jpeg", "a" * 200 + ".png"])
def test_plain_names_are_keys(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "../a",
        "a/../b",
        "/a",
        "a/",
        "a//b",
        "a\\b",
        "a\x00b",
        "a\nb",
        ".hidden",
        "a/.b/c",
        "x" * 300,
        "a:b",
    ],
)
def test_anything_else_is_not(key: str) -> None:
    assert not is_key(key)
