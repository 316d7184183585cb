"""Where pictures and clips are written, and what is refused before anything is paid for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")


def test_a_pipe_is_written_into_and_stays_one(ima2: Any, stub: Any, pixel: Callable[[int], bytes]) -> None:
    os.mkfifo("pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(Path("pipe").read_bytes()), daemon=True)
    reader.start()
    assert ima2("gen", "x", "-o", "pipe").code == 0
    reader.join(5)
    assert got == [pixel(0)]
    assert Path("pipe").is_fifo()


def test_a_device_in_a_folder_that_is_not_ours_is_written_into(
    ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: str(path) != "/dev")
    assert ima2("gen", "x", "-o", "/dev/null").code == 0
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("gen", "x"), "a.gif"),
        (("gen", "x"), "a.AVIF"),
        (("multimode", "x"), "a.svg"),
        (("node", "generate", "x"), "a.mp4"),
        (("video", "x"), "a.webm"),
        (("video", "x"), "a.png"),
        (("video", "edit", "x", "--video", "v.mp4"), "a.gif"),
        (("video", "frame", "v.mp4"), "a.jpg"),
    ],
)
def test_a_name_that_promises_what_is_not_written_is_refused_before_paying(
    ima2: Any, stub: Any, command: tuple[str, ...], name: str
) -> None:
    answer = ima2(*command, "-o", name)
    assert answer.code == 2
    assert f"nothing is written as {Path(name).suffix.lower()} here" in answer.err
    assert stub.requests == []


@pytest.mark.parametrize("name", ["a", "a.v2", "a.final", "a.PNG"])
def test_a_name_that_promises_nothing_else_is_taken(ima2: Any, stub: Any, name: str) -> None:
    assert ima2("gen", "x", "-o", name).code == 0
    assert Path(name).is_file()


def test_a_format_that_is_named_is_told_where_the_name_says_another(ima2: Any, stub: Any) -> None:
    answer = ima2("gen", "x", "-o", "a.gif", "--format", "png")
    assert (answer.code, Path("a.gif").is_file()) == (0, True)
    assert "a.gif holds image/png" in answer.err


def test_a_file_is_replaced_from_a_script_and_on_a_terminal_only_by_force(
    ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch, pixel: Callable[[int], bytes]
) -> None:
    Path("a.png").write_bytes(b"old")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    answer = ima2("gen", "x", "-o", "a.png")
    assert (answer.code, "a.png exists: say --force" in answer.err) == (2, True)
    assert (Path("a.png").read_bytes(), stub.asked("POST /api/generate")) == (b"old", [])
    assert ima2("gen", "x", "-o", "a.png", "--force").code == 0
    assert Path("a.png").read_bytes() == pixel(0)


def test_a_script_replaces_a_file(ima2: Any, stub: Any, pixel: Callable[[int], bytes]) -> None:
    Path("a.png").write_bytes(b"old")
    assert ima2("gen", "x", "-o", "a.png").code == 0
    assert Path("a.png").read_bytes() == pixel(0)


def test_a_reference_that_is_too_large_is_sent_smaller_and_told(
    ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    Image.frombytes("RGB", (400, 400), os.urandom(480_000)).save("photo.png")
    monkeypatch.setenv("IMA2_MAX_REF_B64_BYTES", "200000")
    answer = ima2("gen", "x", "--ref", "photo.png")
    assert answer.code == 0
    assert "photo.png is too large as a reference (0.5 MiB); a smaller copy" in answer.err
    (sent,) = stub.posted["references"]
    assert sent.startswith("data:image/jpeg;base64,")
    assert len(sent) < 200_100
