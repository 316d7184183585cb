"""What both ways into clips share: where a frame is looked for, what is missing, how a failure is told."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from typing import Literal

from ima2.errors import Ima2Error

Position = float | Literal["last"]
"""Seconds from the start, or the last frame."""


def frames_problem() -> str | None:
    """What is missing before clips can be looked into, in one sentence, or ``None``."""
    if has_av() or shutil.which("ffmpeg"):
        return None
    return "Clips cannot be looked into here. Install ima2[video] (or ffmpeg)."


def failed(text: str) -> Ima2Error:
    """500 ``VIDEO_FRAME_FAILED``."""
    return Ima2Error("VIDEO_FRAME_FAILED", 500, text)


def has_av() -> bool:
    """Whether PyAV is installed."""
    return find_spec("av") is not None
