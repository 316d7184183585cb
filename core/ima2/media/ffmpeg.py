"""Clips with the system's ffmpeg, for machines without PyAV."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ima2.media.framing import Position, failed, frames_problem

_INPUT = ("-protocol_whitelist", "file", "-f", "mp4")
"""Nothing but the file itself is opened, and it is parsed as MP4 and as nothing else."""


async def frame(clip: Path, position: Position, seconds: float) -> bytes:
    """The frame at ``position`` as a PNG. Raises what `ima2.media.frames.frame_of` says."""
    where = ["-sseof", "-3"] if position == "last" else ["-ss", f"{float(position):.3f}"]
    count = ["-update", "1"] if position == "last" else ["-frames:v", "1"]
    return await _made([*where, *_INPUT, "-i", str(clip), "-an", *count], "frame.png", seconds)


async def cut_start(clip: Path, seconds: float, limit: float) -> bytes:
    """The clip without its first ``seconds``."""
    picture = ["-c:v", "libx264", "-preset", "fast", "-crf", "18", "-pix_fmt", "yuv420p"]
    sound = ["-c:a", "aac", "-b:a", "128k"]
    times = ["-avoid_negative_ts", "make_zero", "-movflags", "+faststart"]
    before = ["-ss", f"{seconds:.3f}", *_INPUT, "-i", str(clip)]
    return await _made([*before, *picture, *sound, *times], "cut.mp4", limit)


async def _made(arguments: Sequence[str], name: str, seconds: float) -> bytes:
    """Run ffmpeg and take the file it wrote. It is killed when its time is over, or the caller is cancelled."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise failed(frames_problem() or "ffmpeg is missing.")
    with tempfile.TemporaryDirectory(prefix="ima2_frame_") as folder:
        out = Path(folder) / name
        process = await asyncio.create_subprocess_exec(
            program,
            *("-nostdin", "-hide_banner", "-loglevel", "error", "-y"),
            *arguments,
            str(out),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(seconds):
                status = await process.wait()
        except TimeoutError:
            raise failed("The clip took too long to read.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        data = await asyncio.to_thread(_read, out)
    if status != 0 or not data:
        raise failed("ffmpeg could not read the clip, or it has no frame at that position.")
    return data


def _read(path: Path) -> bytes:
    """What was written, if anything was."""
    return path.read_bytes() if path.exists() else b""
