"""A gallery row: what the list shows of one file, from its sidecar or the metadata it carries.

The fields and their fallbacks are the reference's; a client reads nearly all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ima2.media.sniff import MEDIA_TYPES

_COPIED = [
    "prompt",
    "revisedPrompt",
    "promptMode",
    "quality",
    "size",
    "model",
    "providerUrl",
    "usage",
    "sessionId",
    "nodeId",
    "parentNodeId",
    "clientNodeId",
    "requestId",
    "kind",
    "setId",
    "cardId",
    "headline",
    "body",
    "cards",
    "sequenceId",
    "sequenceStatus",
    "composerPrompt",
    "composerInsertedPrompts",
    "reasoningEffort",
    "elapsed",
    "canvasSourceFilename",
    "canvasEditableFilename",
]
_NUMBERS = ("canvasMergedAt", "cardOrder", "sequenceIndex", "sequenceTotalRequested", "sequenceTotalReturned")
_OBJECTS = ("video", "videoSeries", "videoContinuity")
THUMB_SUFFIX = ".thumb.jpg"


def url_of(key: str) -> str:
    """Where the server gives out a stored object: each segment percent-encoded as a URI component."""
    return "/generated/" + "/".join(quote(part, safe="!'()*~") for part in key.split("/"))


def extension_of(key: str) -> str:
    """The lower-case extension of a key, without the dot."""
    return key.rpartition(".")[2].lower() if "." in key else ""


def is_media(key: str) -> bool:
    """Whether a key names a picture or clip of the gallery, not a thumbnail, sidecar or temporary file."""
    return extension_of(key) in MEDIA_TYPES and not key.lower().endswith(THUMB_SUFFIX)


def thumb_of(key: str) -> str:
    """The key of a file's thumbnail: the extension replaced for pictures, appended to for clips."""
    if MEDIA_TYPES.get(extension_of(key), "").startswith("video/"):
        return key + THUMB_SUFFIX
    return key.rpartition(".")[0] + THUMB_SUFFIX


def sidecar_of(key: str) -> str:
    """The key of a file's private JSON."""
    return key + ".json"


def build(key: str, facts: Mapping[str, Any], modified: int) -> dict[str, Any]:
    """The row of one file, without ``thumb`` and ``isFavorite``, which change on their own.

    ``facts`` is the sidecar or embedded payload, possibly empty; ``modified`` the file's time in milliseconds.
    """
    extension = extension_of(key)
    row: dict[str, Any] = {"filename": key, "url": url_of(key)}
    row["mediaType"] = _text(facts.get("mediaType")) or MEDIA_TYPES.get(extension, "image").partition("/")[0]
    row.update({name: facts.get(name) if isinstance(facts.get(name), dict) else None for name in _OBJECTS})
    row["createdAt"] = _whole(facts.get("createdAt")) or modified
    row.update({name: facts.get(name) for name in _COPIED})
    row["userPrompt"] = facts.get("userPrompt") or facts.get("prompt")
    row["format"] = _text(facts.get("format")) or extension
    row["provider"] = _text(facts.get("provider"))
    row["webSearchCalls"] = _whole(facts.get("webSearchCalls")) or 0
    row["refsCount"] = _whole(facts.get("refsCount")) or 0
    row["canvasVersion"] = facts.get("canvasVersion") is True
    row.update({name: _finite(facts.get(name)) for name in _NUMBERS})
    return row


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _finite(value: object) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def _whole(value: object) -> int | None:
    number = _finite(value)
    return None if number is None else int(number)
