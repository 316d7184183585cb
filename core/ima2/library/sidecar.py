"""What is known of a file, in the names that sidecars and gallery rows have on disk and on the wire.

Everywhere else facts are snake_case. The names are those of ima2-gen, which reads the same folder; a client of its
gallery reads nearly all fields of a row, so the fallbacks are its own too.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

import orjson

from ima2.aliases import camel_keys, snake_keys
from ima2.library.names import extension_of, url_of
from ima2.media.sniff import MEDIA_TYPES

log = logging.getLogger("ima2.library")
OPTIONS = {"mode": "promptMode", "webSearch": "webSearchEnabled", "reasoningEffort": "reasoningEffort"}
"""Options of a request that have a field of their own; the others stand below ``options``."""
DEFAULTS = {"promptMode": "auto", "webSearchEnabled": False, "reasoningEffort": "none"}
"""What those fields say where the provider has no such option."""
GROUP_TITLE = "sessionTitle"
"""The field of a row that names the group it belongs to, where a facet brings one."""
_LATEST = 8_640_000_000_000_000
"""The largest time that JavaScript has (milliseconds)."""
_COPIED = (
    "prompt revisedPrompt promptMode quality size model providerUrl usage sessionId nodeId parentNodeId clientNodeId "
    "requestId kind setId cardId headline body cards sequenceId sequenceStatus composerPrompt composerInsertedPrompts "
    "reasoningEffort elapsed canvasSourceFilename canvasEditableFilename"
).split()
_NUMBERS = ("canvasMergedAt", "cardOrder", "sequenceIndex", "sequenceTotalRequested", "sequenceTotalReturned")
_OBJECTS = ("video", "videoSeries", "videoContinuity")


def from_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as a sidecar holds them. ``request_options`` (name to value) is spread into its fields."""
    named = camel_keys({name: value for name, value in facts.items() if name != "request_options"})
    options = facts.get("request_options")
    if options is None:
        return named
    own = {OPTIONS[name]: value for name, value in options.items() if name in OPTIONS and value is not None}
    return {**DEFAULTS, **own, **named}


def to_facts(sidecar: Mapping[str, Any]) -> dict[str, Any]:
    """What a sidecar or row says, as facts."""
    return snake_keys(sidecar)


def encode(sidecar: Mapping[str, Any]) -> bytes:
    """A sidecar as JSON. A value that is none is left out, and logged by its name."""
    try:
        return orjson.dumps(sidecar)
    except (TypeError, ValueError):
        fit = {name: value for name, value in sidecar.items() if isinstance(name, str) and _fits(name, value)}
        return orjson.dumps(fit)


def decode(data: bytes) -> dict[str, Any]:
    """The object that a sidecar holds, empty for anything else."""
    try:
        value = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError):
        log.warning("a sidecar is not JSON; its picture is listed without it")
        return {}
    return value if isinstance(value, dict) else {}


def row_of(key: str, sidecar: Mapping[str, Any], modified: int) -> dict[str, Any]:
    """What the list shows of one file, without thumbnail and facets, which change on their own.

    ``sidecar`` is the sidecar or embedded payload, possibly empty; ``modified`` the file's time in milliseconds.
    """
    extension = extension_of(key)
    row: dict[str, Any] = {"filename": key, "url": url_of(key)}
    row["mediaType"] = _text(sidecar.get("mediaType")) or MEDIA_TYPES.get(extension, "image").partition("/")[0]
    row.update({name: sidecar.get(name) if isinstance(sidecar.get(name), dict) else None for name in _OBJECTS})
    row["createdAt"] = _time(sidecar.get("createdAt")) or modified
    row.update({name: sidecar.get(name) for name in _COPIED})
    row["userPrompt"] = sidecar.get("userPrompt") or sidecar.get("prompt")
    row["format"] = _text(sidecar.get("format")) or extension
    row["provider"] = _text(sidecar.get("provider"))
    row["webSearchCalls"] = _whole(sidecar.get("webSearchCalls")) or 0
    row["refsCount"] = _whole(sidecar.get("refsCount")) or 0
    row["canvasVersion"] = sidecar.get("canvasVersion") is True
    row.update({name: _finite(sidecar.get(name)) for name in _NUMBERS})
    return row


def ids_of(row: Mapping[str, Any]) -> tuple[int, str | None, str | None]:
    """When a row's file was made, and its session and request."""
    return row["createdAt"], _text(row["sessionId"]), _text(row["requestId"])


def series_mark(topic: str) -> str:
    """What the JSON of a row holds if its clip is of that series, and seldom otherwise."""
    return f'"topic":{orjson.dumps(topic).decode()}'


def series_text(row: Mapping[str, Any], topic: str) -> str | None:
    """What a clip of a series showed; ``None`` for a clip of another one."""
    series = row.get("videoSeries")
    if not isinstance(series, dict) or series.get("topic") != topic:
        return None
    return _text(row.get("revisedPrompt")) or _text(row.get("prompt")) or ""


def spliced(row: bytes, thumb_url: str | None, fields: Mapping[str, Any]) -> bytes:
    """A row as sent: the stored JSON with what changes on its own."""
    return row[:-1] + b"," + orjson.dumps({"thumb": thumb_url, **fields})[1:]


def _fits(name: str, value: object) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        log.warning("%s is no JSON value and is left out of a sidecar", name)
        return False
    return True


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _finite(value: object) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value if abs(value) < 2**63 else None


def _whole(value: object) -> int | None:
    number = _finite(value)
    return None if number is None else int(number)


def _time(value: object) -> int | None:
    number = _whole(value)
    return number if number is not None and 0 < number <= _LATEST else None
