"""Clips and pictures of the gallery as inputs: found by name, looked into, with what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from ima2.contracts import Storage
from ima2.errors import Ima2Error
from ima2.keys import is_key
from ima2.library.names import extension_of, sidecar_of
from ima2.media.frames import MAX_CLIP, Position, frame_of
from ima2.media.sniff import MP4, media_type_of
from ima2.models import Picture

PREFIX = "/generated/"


def clip_name(value: Any) -> str:
    """The name of a clip directly in the gallery, as such or as its address; 400 ``VIDEO_MODE_INVALID`` for another."""
    name = value.strip().removeprefix(PREFIX) if isinstance(value, str) else ""
    if "/" in name or "\\" in name or ".." in name or not is_key(name):
        raise Ima2Error("VIDEO_MODE_INVALID", 400, "This is not the name of a clip in the gallery.")
    if extension_of(name) != "mp4":
        raise Ima2Error("VIDEO_MODE_INVALID", 400, "The clip of the gallery must be an .mp4 file.")
    return name


async def stored_clip(storage: Storage, key: str) -> Picture | Path:
    """A clip of the gallery: its file where there is one, else its bytes. 404 ``VIDEO_NOT_FOUND``, 400
    ``VIDEO_INVALID`` for one of more than 100 MB."""
    try:
        size = (await storage.stat(key)).size
    except KeyError:
        raise Ima2Error("VIDEO_NOT_FOUND", 404, "There is no such clip in the gallery.") from None
    if size > MAX_CLIP:
        raise Ima2Error("VIDEO_INVALID", 400, "The clip is larger than 100 MB.")
    path = storage.local_path(key)
    return path or Picture(await storage.get(key), MP4)


async def frame(storage: Storage, key: str, position: Position = "last") -> Picture:
    """A frame of a clip of the gallery. Raises as `stored_clip` and `ima2.media.frames.frame_of` do."""
    return await frame_of(await stored_clip(storage, key), position)


async def clip(storage: Storage, key: str) -> Picture:
    """The bytes of a clip of the gallery, checked to be an MP4. Raises as `stored_clip` does."""
    found = await stored_clip(storage, key)
    data = found.data if isinstance(found, Picture) else await storage.get(key)
    if media_type_of(data) != MP4:
        raise Ima2Error("VIDEO_INVALID", 400, "The file is no MP4 clip.")
    return Picture(data, MP4)


async def sidecar_facts(storage: Storage, key: str) -> Mapping[str, Any]:
    """The sidecar of a file of the gallery; empty where there is none that can be read."""
    try:
        facts = orjson.loads(await storage.get(sidecar_of(key)))
    except (KeyError, orjson.JSONDecodeError):
        return {}
    return facts if isinstance(facts, dict) else {}
