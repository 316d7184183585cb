"""Clips with PyAV, which brings its own ffmpeg libraries. All of it blocks."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.container import InputContainer
from av.subtitles.subtitle import SubtitleSet
from av.video.frame import PictureType

from ima2.media.framing import Position, failed

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.frame import VideoFrame
    from PIL.Image import Image

MAX_PIXELS = 40_000_000
TAIL_S = 3.0
"""Seconds before the end from which the last frame is looked for."""


def frame(source: bytes | Path, position: Position, seconds: float) -> bytes:
    """The frame at ``position`` as a PNG. Raises what `ima2.media.frames.frame_of` says."""
    deadline = time.monotonic() + seconds
    with _opened(source) as container:
        found = _last(container, deadline) if position == "last" else _at(container, float(position), deadline)
        if found is None:
            raise failed("The clip has no frame at that position.")
        out = io.BytesIO()
        picture: Image = found.to_image()  # type: ignore[no-untyped-call]
        picture.save(out, "PNG", compress_level=3)
    return out.getvalue()


def cut_start(data: bytes, seconds: float, limit: float) -> bytes:
    """The clip without its first ``seconds``; raises when nothing would be left."""
    with tempfile.TemporaryDirectory(
        prefix="ima2_cut_"
    ) as folder:  # a file, as its index moves to the front at the end
        path = Path(folder) / "cut.mp4"
        with (
            _opened(data) as source,
            av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as target,
        ):
            _copy(source, target, seconds, time.monotonic() + limit)
        return path.read_bytes()


def _copy(source: InputContainer, target: OutputContainer, start: float, deadline: float) -> None:
    """Encode what is shown and heard from ``start`` on."""
    streams, kept = _outputs(source, target), 0
    for frame in source.decode(*(source.streams[index] for index in streams)):
        _in_time(deadline)
        if (
            isinstance(frame, SubtitleSet)
            or frame.pts is None
            or frame.time_base is None
            or frame.time is None
            or frame.time < start
        ):
            continue
        frame.pts -= round(Fraction(start) / frame.time_base)
        index = _index(source, isinstance(frame, av.VideoFrame))
        if isinstance(frame, av.VideoFrame):
            frame.pict_type = PictureType.NONE
            kept += 1
        target.mux(streams[index].encode(frame))
    if not kept:
        raise failed("The clip is not longer than what was to be cut.")
    for stream in streams.values():
        target.mux(stream.encode(None))


@contextmanager
def _opened(source: bytes | Path) -> Iterator[InputContainer]:
    """The clip, parsed as MP4 and as nothing else."""
    try:
        with av.open(str(source) if isinstance(source, Path) else io.BytesIO(source), format="mp4") as container:
            if not isinstance(container, InputContainer) or not container.streams.video:
                raise failed("The clip has no pictures.")
            context = container.streams.video[0].codec_context
            if context.width * context.height > MAX_PIXELS:
                raise failed("The clip's pictures are too large.")
            yield container
    except (av.FFmpegError, ValueError, EOFError) as error:
        raise failed(f"The clip could not be read ({type(error).__name__}).") from None


def _at(container: InputContainer, position: float, deadline: float) -> VideoFrame | None:
    if position > 0:
        container.seek(int(position * av.time_base))
    shown: VideoFrame | None = None
    for found in container.decode(container.streams.video[0]):
        _in_time(deadline)
        if found.time is not None and found.time > position and shown is not None:
            return shown
        shown = found
        if found.time is None or found.time >= position:
            return found
    rate = container.streams.video[0].average_rate
    lasts = (shown.time or 0.0) + (float(1 / rate) if rate else 0.0) if shown is not None else 0.0
    return shown if position < lasts else None


def _last(container: InputContainer, deadline: float) -> VideoFrame | None:
    length = (container.duration or 0) / av.time_base
    if length > TAIL_S:
        container.seek(int((length - TAIL_S) * av.time_base))
    found: VideoFrame | None = None
    for found in container.decode(container.streams.video[0]):  # noqa: B007 - the last one is wanted
        _in_time(deadline)
    return found


def _outputs(source: InputContainer, target: OutputContainer) -> dict[int, Any]:
    """The streams to write, by the index of those they are made from."""
    video = source.streams.video[0]
    made: Any = target.add_stream("libx264", rate=video.average_rate or 24, options={"crf": "18", "preset": "fast"})
    made.width, made.height, made.pix_fmt = video.codec_context.width, video.codec_context.height, "yuv420p"
    streams = {video.index: made}
    if source.streams.audio:
        audio = source.streams.audio[0]
        sound: Any = target.add_stream("aac", rate=audio.codec_context.sample_rate)
        sound.bit_rate, sound.layout = 128_000, audio.codec_context.layout
        streams[audio.index] = sound
    return streams


def _index(source: InputContainer, is_video: bool) -> int:
    return source.streams.video[0].index if is_video else source.streams.audio[0].index


def _in_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise failed("The clip took too long to read.")
