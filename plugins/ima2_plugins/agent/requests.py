"""From a session's settings to requests that its provider takes. What it does not take gives way to the provider's
own default, and that is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ima2
from ima2_plugins.agent.values import DEFAULTS

_FIELDS = ("model", "quality", "size", "format", "moderation")
_OPTIONS = {"reasoningEffort": "reasoningEffort", "webSearch": "webSearchEnabled"}
_SECONDS = re.compile(r"(?<![\d.])(\d{1,2})\s*-?\s*(?:s|secs?|seconds?)\b|(?<![\d.])(\d{1,2})\s*초", re.IGNORECASE)
_RESOLUTION = re.compile(r"\b(\d{3,4}p|[248]k)\b", re.IGNORECASE)
_RATIO = re.compile(r"(?<![\d:])(\d{1,2}:\d{1,2})(?![\d:])")


def image_request(
    studio: ima2.Studio, settings: Mapping[str, Any], prompt: str, current: ima2.Picture | None
) -> tuple[ima2.ImageRequest, list[str]]:
    """A request for one picture, and what differs from the settings. ``current`` is the picture to go on from."""
    provider = studio.provider(settings["provider"])
    able, notes = provider.capabilities, []
    base = ima2.ImageRequest(prompt, provider.id, size=able.default_size, format=(able.formats or ("png",))[0])
    if able.qualities and base.quality not in able.qualities:
        base = replace(base, quality=able.qualities[0])
    for name in _FIELDS:
        value = settings[name]
        asked = replace(base, **{name: value}) if value else base
        if _taken(studio, asked) and (name != "format" or not able.formats or value in able.formats):
            base = asked
        elif value != DEFAULTS[name]:
            notes.append(f"{provider.title} does not take {name} {value}; its own default was used.")
    for option, name in _OPTIONS.items():
        if able.option(option) is not None:
            asked = replace(base, options={**base.options, option: settings[name]})
            base = asked if _taken(studio, asked) else base
    if current is not None:
        asked = replace(base, references=(current,))
        if _taken(studio, asked):
            return asked, notes
        notes.append(f"{provider.title} takes no picture to go on from; it was asked in words alone.")
    return base, notes


def video_request(
    studio: ima2.Studio, settings: Mapping[str, Any], prompt: str, current: ima2.Picture | None
) -> tuple[ima2.VideoRequest, list[str]]:
    """A request for a clip, from the session's provider if it makes clips, else from the default one that does. Length,
    resolution and ratio are read from the words; ``current`` is the first frame."""
    named = studio.provider(settings["provider"])
    provider = named if named.capabilities.video else studio.provider(None, "video")
    notes = [] if provider is named else [f"{named.title} makes no clips; {provider.title} was asked."]
    able = provider.capabilities.video
    if able is None:
        raise provider.unsupported("video")
    mode = "image" if current is not None and "image" in able.modes else "text"
    if current is not None and mode == "text":
        notes.append(f"{provider.title} takes no first frame; it was asked in words alone.")
    low, high = able.durations.get(mode, (1, 15))
    seconds, resolution, ratio = _SECONDS.search(prompt), _RESOLUTION.search(prompt), _RATIO.search(prompt)
    shapes, ratios = able.resolutions, able.aspect_ratios
    return ima2.VideoRequest(
        prompt,
        provider.id,
        mode=mode,
        duration=int(seconds[1] or seconds[2]) if seconds else min(high, max(low, 5)),
        resolution=resolution[1].lower() if resolution else _preferred("480p", shapes),
        aspect_ratio=ratio[1] if ratio and ratio[1] in ratios else _preferred("auto", ratios),
        source=current if mode == "image" else None,
    ), notes


def _preferred(value: str, offered: tuple[str, ...]) -> str:
    return value if value in offered or not offered else offered[0]


def _taken(studio: ima2.Studio, request: ima2.ImageRequest) -> bool:
    try:
        studio.check(request)
    except ima2.Ima2Error as error:
        if error.status != 400 or error.code in ("PROMPT_REQUIRED", "INVALID_PROMPT"):
            raise
        return False
    return True
