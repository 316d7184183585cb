"""Files are whole or absent."""

from __future__ import annotations

import os
import stat
import threading
import time
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


def test_a_temporary_file_of_an_earlier_process_of_the_same_number_is_swept_away(tmp_path: Path) -> None:
    """In a container every server is process 1."""
    old, new = tmp_path / f".a.png.{os.getpid()}.abc.tmp", tmp_path / f".b.png.{os.getppid()}.abc.tmp"
    for path in (old, new):
        path.write_bytes(b"half")
    before_us = time.time() - 86_400 * 365
    os.utime(old, (before_us, before_us))
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [new]


def test_a_file_that_was_being_written_for_an_hour_is_swept_away(tmp_path: Path) -> None:
    mine = tmp_path / f".a.png.{os.getppid()}.abc.tmp"
    mine.write_bytes(b"half")
    os.utime(mine, (time.time() - 3700,) * 2)
    sweep(tmp_path)
    assert not mine.exists()


@pytest.mark.parametrize("name", ["notes.tmp", ".notes.tmp", ".a.b.c.tmp", "..1.tmp"])
def test_temporary_files_of_others_are_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    os.utime(tmp_path / name, (1.0, 1.0))
    sweep(tmp_path)
    assert (tmp_path / name).exists()


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"picture")
    reader.join(5)
    assert got == [b"picture"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_link_to_a_device_is_written_into(tmp_path: Path) -> None:
    link = tmp_path / "out.png"
    link.symlink_to("/dev/null")
    write_whole(link, b"picture")
    assert link.readlink() == Path("/dev/null")
    assert stat.S_ISCHR(link.stat().st_mode)


def test_what_leads_to_an_open_file_is_written_into(tmp_path: Path) -> None:
    """``/dev/stdout`` and ``>(...)`` are links below ``/dev`` and ``/proc``."""
    target = tmp_path / "out.txt"
    with target.open("wb") as file:
        before = os.fstat(file.fileno()).st_ino
        write_whole(Path(f"/proc/self/fd/{file.fileno()}"), b"picture")
    assert (target.read_bytes(), target.stat().st_ino) == (b"picture", before)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_a_link_and_its_target_is_written_whole(tmp_path: Path, there: bool) -> None:
    (tmp_path / "other").mkdir()
    target, link, second = tmp_path / "other" / "real.png", tmp_path / "other" / "link", tmp_path / "link.png"
    if there:
        target.write_bytes(b"old")
    link.symlink_to("real.png")
    second.symlink_to("other/link")
    write_whole(second, b"new")
    assert second.is_symlink()
    assert link.is_symlink()
    assert (target.read_bytes(), second.read_bytes()) == (b"new", b"new")


def test_a_link_can_be_replaced_where_that_is_wanted(tmp_path: Path) -> None:
    target, link = tmp_path / "real.png", tmp_path / "link.png"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_whole(link, b"new", follow=False)
    assert not link.is_symlink()
    assert (target.read_bytes(), link.read_bytes()) == (b"old", b"new")


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, b"x")


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
        "caf\udce9.png",
    ],
)
def test_anything_else_is_not(key: str) -> None:
    assert not is_key(key)
