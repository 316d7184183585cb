"""What the OpenAPI document says of sessions: bodies and answers by example."""

from __future__ import annotations

from typing import Any

SESSION = {"id": "s_01M818ZRPFNKZ48P3A1EX33S1X", "title": "Poster", "createdAt": 1, "updatedAt": 2, "graphVersion": 3}
GRAPH = {
    "nodes": [{"id": "n1", "x": 10, "y": 20, "data": {"prompt": "a heron"}}],
    "edges": [{"id": "e1", "source": "n1", "target": "n2", "data": {}}],
}
SHEET = {"palette": ["teal", "sand"], "medium": "gouache", "mood": "calm"}
SAVED = {"ok": True, "nodes": 1, "edges": 1, "graphVersion": 4}
_WHOLE = {**SESSION, **GRAPH, "graph": {**GRAPH, "version": 3}, "styleSheet": {"enabled": False}}
_VERSION = {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}, "example": '"3"'}


def answers(
    value: Any, *, status: int = 200, refusals: str = "SESSION_NOT_FOUND:404"
) -> dict[int | str, dict[str, Any]]:
    """The answer of a route, and its ``refusals``: ``CODE:status`` separated by blanks."""
    found: dict[int | str, dict[str, Any]] = {status: _json(value, "Done")}
    for refusal in refusals.split():
        code, _, number = refusal.partition(":")
        found[int(number)] = _json({"error": {"code": code, "message": "…"}}, "Refused")
    return found


def _json(value: Any, text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"example": value}}}


def body(value: Any, *, versioned: bool = False) -> dict[str, Any]:
    """The body of a route, and whether it names the version that it takes the place of."""
    schema = {"schema": {"type": "object"}, "example": value}
    extra: dict[str, Any] = {"requestBody": {"content": {"application/json": schema}}}
    return {**extra, **versioned_by()} if versioned else extra


def versioned_by() -> dict[str, Any]:
    """The header ``If-Match``."""
    return {"parameters": [_VERSION]}


SESSIONS = answers({"sessions": [{**SESSION, "nodeCount": 1}]}, refusals="")
CREATED = answers({"session": SESSION}, status=201, refusals="")
READ = answers({"session": _WHOLE})
CHANGED = answers({"ok": True})
RENAMED = answers({"ok": True}, refusals="INVALID_TITLE:400 SESSION_NOT_FOUND:404")
GRAPH_READ = answers({**GRAPH, "version": 3, "graphVersion": 3})
GRAPH_SAVED = answers(
    SAVED,
    refusals="INVALID_GRAPH:400 SESSION_NOT_FOUND:404 GRAPH_VERSION_CONFLICT:409 GRAPH_TOO_LARGE:413 "
    "GRAPH_VERSION_REQUIRED:428",
)
VERSIONS = answers({"versions": [{"version": 3, "savedAt": 1, "nodes": 1, "edges": 1}]})
VERSION = answers({**GRAPH, "version": 3}, refusals="GRAPH_VERSION_NOT_FOUND:404")
STYLE = answers({"styleSheet": SHEET, "enabled": True})
STYLE_SWITCHED = answers({"ok": True, "enabled": True}, refusals="INVALID_ENABLED:400 SESSION_NOT_FOUND:404")
STYLE_STORED = answers({"ok": True}, refusals="INVALID_SHEET:400 SESSION_NOT_FOUND:404")
STYLE_FOUND = answers({"styleSheet": SHEET}, refusals="STYLE_SHEET_BAD_INPUT:400 STYLE_SHEET_PARSE:422")
