"""What was found, on disk: one JSON file, whole or absent. What cannot be read is as if it had never been found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from ima2 import Model, write_whole

_TEXTS = ("title", "replacement", "source", "checked")
_MOST = 1000
_MEDIA: dict[str, Literal["image", "video", "text"]] = {"image": "image", "video": "video", "text": "text"}
_STATES: dict[str, Literal["served", "deprecated", "ended"]] = {
    "served": "served",
    "deprecated": "deprecated",
    "ended": "ended",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one provider's service listed, and when it was last asked, in milliseconds since the epoch."""

    asked: int
    found: int
    models: tuple[Model, ...]


class Memory:
    """The file. ``read`` and ``write`` block shortly."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Entry]:
        """Every entry that can be used, by provider."""
        try:
            value = orjson.loads(self._path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        rows = value.items() if isinstance(value, dict) else ()
        read = ((str(name), _entry(row)) for name, row in rows)
        return {name: entry for name, entry in read if entry is not None}

    def write(self, entries: dict[str, Entry]) -> None:
        """Write all of them. ``OSError`` where that is not possible."""
        rows = {
            name: {"asked": one.asked, "found": one.found, "models": [_row(model) for model in one.models[:_MOST]]}
            for name, one in entries.items()
        }
        write_whole(self._path, orjson.dumps(rows, option=orjson.OPT_INDENT_2))


def _row(model: Model) -> dict[str, Any]:
    row = {"id": model.id, "media": model.media, "state": model.state, "ends": model.ends}
    return row | {name: getattr(model, name) for name in _TEXTS if getattr(model, name)}


def _entry(row: Any) -> Entry | None:
    if not isinstance(row, dict) or not all(isinstance(row.get(name), int) for name in ("asked", "found")):
        return None
    models = row.get("models")
    return Entry(row["asked"], row["found"], tuple(_models(models if isinstance(models, list) else ())))


def _models(rows: Sequence[Any]) -> list[Model]:
    found = []
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            texts = {name: row[name] for name in _TEXTS if isinstance(row.get(name), str)}
            media = _MEDIA.get(str(row.get("media")), "image")
            state = _STATES.get(str(row.get("state")), "served")
            ends = row.get("ends") if isinstance(row.get("ends"), str) else None
            found.append(Model(row["id"], media=media, state=state, ends=ends, **texts))
    return found
