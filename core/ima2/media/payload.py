"""The record of how a picture was made, as it travels inside the picture.

Keys, their order and the longest texts are those of ima2-gen 2.0.2, whose readers take a record only
with this ``schema`` and ``app``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

SCHEMA = "ima2.generation.v1"
APP = "ima2-gen"
_PROMPT, _FILE, _ID, _REQUEST, _NAME, _CHOICE, _FORMAT = 4000, 240, 120, 160, 80, 40, 20
_LARGEST_NUMBER = 2**53
_FIELDS: dict[str, int | str] = {
    "version": _NAME,
    "createdAt": "number",
    "kind": _NAME,
    "canvasVersion": "flag",
    "canvasSourceFilename": _FILE,
    "canvasEditableFilename": _FILE,
    "canvasMergedAt": "number",
    "prompt": _PROMPT,
    "userPrompt": _PROMPT,
    "revisedPrompt": _PROMPT,
    "promptMode": "mode",
    "quality": _CHOICE,
    "size": _CHOICE,
    "format": _FORMAT,
    "moderation": _CHOICE,
    "model": _NAME,
    "reasoningEffort": _CHOICE,
    "elapsed": "number",
    "provider": _CHOICE,
    "sessionId": _ID,
    "nodeId": _ID,
    "parentNodeId": _ID,
    "clientNodeId": _ID,
    "requestId": _REQUEST,
    "refsCount": "count",
    "webSearchCalls": "count",
    "styleSheetApplied": "flag",
}


def payload(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The record of some facts: every key in its order, texts cut, what has a wrong type ``None`` or its default.

    ``userPrompt`` falls back to ``prompt``; ``promptMode`` is ``direct`` or else ``auto``; counts default to
    0 and flags to ``False``. Characters that no UTF-8 text can hold become ``?``.
    """
    record: dict[str, Any] = {"schema": SCHEMA, "app": APP}
    record.update((name, _field(facts.get(name), rule)) for name, rule in _FIELDS.items())
    record["userPrompt"] = record["userPrompt"] or record["prompt"]
    return record


def accepted(value: object) -> dict[str, Any] | None:
    """A record that was read, through the rules of `payload`; ``None`` when schema or app is another's."""
    if not isinstance(value, dict) or (value.get("schema"), value.get("app")) != (SCHEMA, APP):
        return None
    return payload(value)


def _field(value: object, rule: int | str) -> Any:
    match rule:
        case "number":
            return _number(value)
        case "count":
            return _number(value) or 0
        case "flag":
            return value is True
        case "mode":
            return "direct" if value == "direct" else "auto"
        case int(longest) if isinstance(value, str):
            return value[:longest].encode("utf-8", "replace").decode()
    return None


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    whole = isinstance(value, int) and abs(value) <= _LARGEST_NUMBER
    return value if whole or (isinstance(value, float) and math.isfinite(value)) else None
