"""Pictures out of clips, and clips cut shorter: with PyAV where it is installed, else with the system's ffmpeg.

Clips are MP4. They come from outside, so only that one format is ever parsed (others can name further files and
addresses to open), the size of a picture is checked before one is decoded, and all of it is bounded in time.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ima2.errors import Ima2Error
from ima2.media.framing import Position, failed, frames_problem, has_av
from ima2.media.sniff import MP4, PNG, media_type_of
from ima2.models import Picture

MAX_CLIP = 100 << 20
"""Bytes of the largest clip that is looked into."""
FRAME_S, CUT_S = 30.0, 60.0
LATEST = 3600.0
__all__ = ["FRAME_S", "LATEST", "MAX_CLIP", "Position", "cut_start", "failed", "frame_of", "frames_problem"]


async def frame_of(source: Picture | Path, position: Position = 0.0) -> Picture:
    """One frame of a clip as a PNG: the one shown at ``position`` seconds, or the ``last``.

    Raises `Ima2Error` ``VIDEO_INVALID`` (400) for what is no MP4 of at most 100 MB, ``VIDEO_FRAME_FAILED`` (500) when
    no such frame can be had: broken data, a position beyond the end, no tool for it on this machine, 30 seconds over.
    """
    await asyncio.to_thread(_check, source)
    if has_av():
        from ima2.media import pyav

        data = await asyncio.to_thread(pyav.frame, _input(source), position, FRAME_S)
    else:
        from ima2.media import ffmpeg

        with _as_file(source) as path:
            data = await ffmpeg.frame(path, position, FRAME_S)
    return Picture(data, PNG)


async def cut_start(clip: Picture, seconds: float) -> Picture:
    """The clip without its first ``seconds``, encoded again (H.264 of near-original quality, AAC).

    Raises as `frame_of` does; a clip that is not longer than that is ``VIDEO_FRAME_FAILED``.
    """
    await asyncio.to_thread(_check, clip)
    if has_av():
        from ima2.media import pyav

        data = await asyncio.to_thread(pyav.cut_start, clip.data, seconds, CUT_S)
    else:
        from ima2.media import ffmpeg

        with _as_file(clip) as path:
            data = await ffmpeg.cut_start(path, seconds, CUT_S)
    return Picture(data, MP4)


def _check(source: Picture | Path) -> None:
    if isinstance(source, Path):
        try:
            size = source.stat().st_size
            with source.open("rb") as file:
                head = file.read(12)
        except OSError:
            raise failed("The clip's file could not be opened.") from None
    else:
        size, head = len(source.data), source.data[:12]
    if size > MAX_CLIP:
        raise Ima2Error("VIDEO_INVALID", 400, "The clip is larger than 100 MB.")
    if media_type_of(head) != MP4:
        raise Ima2Error("VIDEO_INVALID", 400, "The file is no MP4 clip.")


def _input(source: Picture | Path) -> bytes | Path:
    return source if isinstance(source, Path) else source.data


@contextmanager
def _as_file(source: Picture | Path) -> Iterator[Path]:
    if isinstance(source, Path):
        yield source.absolute()  # a name that begins with a dash would be taken for an option
        return
    with tempfile.TemporaryDirectory(prefix="ima2_clip_") as folder:
        path = Path(folder) / "clip.mp4"
        path.write_bytes(source.data)
        yield path
