"""The words of a ``stream-json`` output: one JSON document a line.

Its exact form is not published, so everything is taken that reads like the model's own words, under the names that such
streams use; what the person said, and what the CLI says of itself, is left out.
"""

from __future__ import annotations

import json
from typing import Any

_OTHERS = frozenset({"user", "system", "init", "tool_use", "tool_call", "thinking", "thought"})
_NAMES = ("result", "message", "content", "text", "delta", "parts", "response", "error")


def words_of(output: str) -> str:
    """The words in their order, pieces of one text joined. Lines that are no JSON stand as they are."""
    words = ""
    for line in output.splitlines():
        event = _event(line)
        if event is None:
            words = _apart(words, line)
            continue
        said = "".join(_texts(event))
        if said:
            words = words + said if _is_piece(event) else _apart(words, said)
    return words


def _event(line: str) -> dict[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _apart(words: str, more: str) -> str:
    return f"{words}\n{more}" if words else more


def _is_piece(event: dict[str, Any]) -> bool:
    """Whether an event continues the text before it."""
    return "delta" in event or "delta" in str(event.get("type", "")) or event.get("delta") is True


def _texts(value: Any) -> list[str]:
    """All words below a value, but those of others."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if not isinstance(value, dict) or _OTHERS & {str(value.get("type")), str(value.get("role"))}:
        return []
    return [text for name in _NAMES if name in value for text in _texts(value[name])]
