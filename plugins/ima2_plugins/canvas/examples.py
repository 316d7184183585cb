"""What the OpenAPI document says of drawings: bodies and answers by example."""

from __future__ import annotations

from typing import Any

_DRAWN = {"paths": [], "boxes": [{"x": 1, "y": 2, "w": 3, "h": 4}], "memos": [{"text": "warmer"}]}
_REFUSED = {"error": "That is no name of a file in the gallery.", "code": "INVALID_FILENAME"}
_BROWSER = {"name": "X-Ima2-Browser-Id", "in": "header", "required": True, "schema": {"type": "string"}}
_PNG = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
_SOURCE = {"name": "sourceFilename", "in": "query", "required": False, "schema": {"type": "string"}}
_NAME = "canvas-a-20260101000000-0a1b2c.png"
_ITEM = {
    "filename": _NAME,
    "url": f"/generated/{_NAME}",
    "prompt": "warmer",
    "canvasVersion": True,
    "canvasSourceFilename": "a.png",
    "canvasEditableFilename": _NAME,
}


def _json(value: Any, text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"example": value}}}


READ: dict[int | str, dict[str, Any]] = {
    200: _json({"annotations": _DRAWN}, "What is drawn"),
    400: _json(_REFUSED, "No"),
}
DONE: dict[int | str, dict[str, Any]] = {200: _json({"ok": True}, "Done"), 400: _json(_REFUSED, "No")}
OWNER: dict[str, Any] = {"parameters": [_BROWSER]}
DRAWN: dict[str, Any] = {
    **OWNER,
    "requestBody": {
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"annotations": _DRAWN}}},
    },
}
CREATED: dict[int | str, dict[str, Any]] = {201: _json({"item": _ITEM}, "The version")}
UPDATED: dict[int | str, dict[str, Any]] = {200: _json({"item": _ITEM}, "The version")}
PICTURE: dict[str, Any] = {"parameters": [_SOURCE], "requestBody": _PNG}
