"""Length, resolution and ratio of a clip, checked against what the provider declares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ima2.capabilities import VideoModes
from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.ways.body import Body

DURATION, RESOLUTION, RATIO = 5, "480p", "auto"
_WHOLE = re.compile(r"\s*\d{1,6}\s*")
_NEW = ("text", "image", "reference")


@dataclass(frozen=True, slots=True)
class Shape:
    """``duration`` in seconds."""

    duration: int
    resolution: str
    aspect_ratio: str


def modes_of(provider: Provider) -> VideoModes:
    """What a provider of clips takes, or its refusal to make any."""
    if provider.capabilities.video is None:
        raise provider.unsupported("video")
    return provider.capabilities.video


def choose_shape(body: Body, provider: Provider) -> Shape:
    """The shape of a new clip, or 400 with the provider's ``VIDEO_DURATION_INVALID``, ``VIDEO_RESOLUTION_INVALID`` or
    ``VIDEO_ASPECT_RATIO_INVALID``."""
    able = modes_of(provider)
    spans = [able.durations[mode] for mode in _NEW if mode in able.durations] or list(able.durations.values())
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    duration = whole(body.get("duration"), min(max(DURATION, low), high))
    if duration is None or not low <= duration <= high:
        raise duration_error(provider, low, high)
    return Shape(
        duration,
        _one_of(body, provider, "resolution", "VIDEO_RESOLUTION_INVALID", able.resolutions, RESOLUTION),
        _one_of(body, provider, "aspectRatio", "VIDEO_ASPECT_RATIO_INVALID", able.aspect_ratios, RATIO),
    )


def check_duration(duration: int, mode: str, provider: Provider) -> None:
    """Whether the length is one that this mode takes."""
    low, high = modes_of(provider).durations.get(mode, (duration, duration))
    if not low <= duration <= high:
        raise duration_error(provider, low, high)


def duration_error(provider: Provider, low: int, high: int) -> Ima2Error:
    """400: not a length that can be asked for."""
    code = provider.capabilities.code("VIDEO_DURATION_INVALID")
    return Ima2Error(code, 400, f"duration must be a whole number of seconds from {low} to {high}")


def whole(value: Any, default: int) -> int | None:
    """A whole number, as such or as text; ``None`` for anything else."""
    if value is None or value == "":
        return default
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6 and value == int(value):
        return int(value)
    return None


def _one_of(body: Body, provider: Provider, name: str, code: str, allowed: tuple[str, ...], default: str) -> str:
    value = body.get(name)
    if value is None or value == "":
        return default if default in allowed else allowed[0]
    if not isinstance(value, str) or value not in allowed:
        raise Ima2Error(provider.capabilities.code(code), 400, f"{name} must be one of: {', '.join(allowed)}")
    return value
