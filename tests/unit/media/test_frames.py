"""Frames out of clips and clips cut shorter, with PyAV and with ffmpeg."""

from __future__ import annotations

import asyncio
import io
import os
import time
from pathlib import Path

import av
import pytest
from PIL import Image

from ima2.errors import Ima2Error
from ima2.media import frames, framing
from ima2.models import Picture
from ima2.testing import clip, picture


def brightness(found: Picture) -> int:
    """0 to 255."""
    return sum(Image.open(io.BytesIO(found.data)).convert("L").resize((1, 1)).tobytes())


def with_sound(seconds: float) -> Picture:
    """`clip` with a silent track beside it, interleaved by whole files."""
    out = io.BytesIO()
    with av.open(io.BytesIO(clip(seconds).data), "r") as source, av.open(out, "w", format="mp4") as target:
        video = target.add_stream_from_template(source.streams.video[0])
        sound = target.add_stream("aac", rate=44_100)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                target.mux(packet)
        for number in range(round(seconds * 44_100 / 1024)):
            frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.sample_rate, frame.pts = 44_100, number * 1024
            target.mux(sound.encode(frame))
        target.mux(sound.encode(None))
    return Picture(out.getvalue(), "video/mp4")


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """A stand-in for ffmpeg, with PyAV out of sight. Returns where it notes its arguments."""
    folder.mkdir(exist_ok=True)
    path = folder / "ffmpeg"
    path.write_text(f'#!/bin/sh\necho "$@" > {folder}/arguments\nfor out; do :; done\n{script}\n')
    path.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(frames, "has_av", lambda: False)
    return folder / "arguments"


async def test_the_first_a_middle_and_the_last_frame_differ_as_the_clip_does() -> None:
    found = [await frames.frame_of(clip(), at) for at in (0.0, 1.0, "last")]
    first, middle, last = (brightness(one) for one in found)
    assert first < 10
    assert 110 < middle < 145
    assert last > 245
    assert {one.media_type for one in found} == {"image/png"}


async def test_a_file_is_read_like_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(clip().data)
    assert (await frames.frame_of(path, "last")).data == (await frames.frame_of(clip(), "last")).data


async def test_the_last_frame_of_a_long_clip_is_its_last() -> None:
    assert brightness(await frames.frame_of(clip(7.0), "last")) > 245


async def test_a_position_beyond_the_end_has_no_frame() -> None:
    assert brightness(await frames.frame_of(clip(), 1.95)) > 245
    with pytest.raises(Ima2Error) as caught:
        await frames.frame_of(clip(), 2.5)
    assert (caught.value.code, caught.value.status) == ("VIDEO_FRAME_FAILED", 500)


@pytest.mark.parametrize("data", [b"", b"nothing of the kind", picture().data, b"#EXTM3U\nfile:///etc/passwd"])
async def test_only_mp4_is_looked_into(data: bytes) -> None:
    with pytest.raises(Ima2Error) as caught:
        await frames.frame_of(Picture(data, "video/mp4"))
    assert (caught.value.code, caught.value.status) == ("VIDEO_INVALID", 400)


@pytest.mark.parametrize("cut", [24, 200, 900])
async def test_a_broken_clip_is_a_failure_with_a_code(cut: int) -> None:
    for broken in (clip().data[:cut], clip().data[:16] + bytes(2000)):
        with pytest.raises(Ima2Error) as caught:
            await frames.frame_of(Picture(broken, "video/mp4"), "last")
        assert caught.value.code == "VIDEO_FRAME_FAILED"


async def test_a_clip_of_more_than_a_hundred_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.mp4"
    path.write_bytes(clip().data)
    os.truncate(path, frames.MAX_CLIP + 1)
    with pytest.raises(Ima2Error) as caught:
        await frames.frame_of(path)
    assert (caught.value.code, caught.value.status) == ("VIDEO_INVALID", 400)


async def test_the_start_is_cut_off_and_the_rest_begins_where_it_should() -> None:
    shorter = await frames.cut_start(clip(3.0), 1.0)
    assert 75 < brightness(await frames.frame_of(shorter, 0.0)) < 100
    assert brightness(await frames.frame_of(shorter, "last")) > 245
    with pytest.raises(Ima2Error):
        await frames.frame_of(shorter, 2.2)
    with pytest.raises(Ima2Error):
        await frames.cut_start(clip(), 2.0)


async def test_the_sound_is_cut_like_the_pictures() -> None:
    shorter = await frames.cut_start(with_sound(3.0), 1.0)
    with av.open(io.BytesIO(shorter.data)) as container:
        seconds = {one.type: float((one.duration or 0) * (one.time_base or 0)) for one in container.streams}
        starts = {one.type: float((one.start_time or 0) * (one.time_base or 0)) for one in container.streams}
        codecs = {one.codec_context.name for one in container.streams}
    assert set(seconds) == {"video", "audio"}
    assert all(1.8 < one < 2.2 for one in seconds.values())
    assert all(abs(one) < 0.1 for one in starts.values())
    assert codecs == {"h264", "aac"}
    assert 75 < brightness(await frames.frame_of(shorter, 0.0)) < 100


async def test_ffmpeg_is_used_where_pyav_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "frame.png"
    source.write_bytes(picture().data)
    arguments = program(tmp_path / "bin", monkeypatch, f'cp {source} "$out"')
    assert frames.frames_problem() is None
    assert (await frames.frame_of(clip(), "last")).data == picture().data
    assert "-sseof -3 -protocol_whitelist file -f mp4 -i /" in arguments.read_text()
    await frames.frame_of(clip(), 1.5)
    assert "-ss 1.500 " in arguments.read_text()
    assert (await frames.cut_start(clip(), 1.0)).data == picture().data
    assert "-c:v libx264 -preset fast -crf 18" in arguments.read_text()


@pytest.mark.parametrize("script", ["exit 1", ": > /dev/null"])
async def test_an_ffmpeg_that_brings_nothing_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    program(tmp_path / "bin", monkeypatch, script)
    with pytest.raises(Ima2Error) as caught:
        await frames.frame_of(clip())
    assert caught.value.code == "VIDEO_FRAME_FAILED"


async def test_an_ffmpeg_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", monkeypatch, f"echo $$ > {tmp_path}/pid\nexec sleep 60")
    monkeypatch.setattr(frames, "FRAME_S", 0.5)
    began = time.monotonic()
    with pytest.raises(Ima2Error, match="too long"):
        await frames.frame_of(clip())
    assert time.monotonic() - began < 5
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_cancelling_kills_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", monkeypatch, f"echo $$ > {tmp_path}/pid\nexec sleep 60")
    task = asyncio.create_task(frames.frame_of(clip()))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_without_either_tool_the_problem_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(frames, "has_av", lambda: False)
    monkeypatch.setattr(framing, "has_av", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "ima2[video]" in (frames.frames_problem() or "")
    with pytest.raises(Ima2Error, match="ima2\\[video\\]"):
        await frames.frame_of(clip())


def test_looking_at_frames_does_not_load_pyav_before_it_is_needed() -> None:
    import subprocess
    import sys

    code = "import sys, ima2; ima2.frames_problem(); sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
