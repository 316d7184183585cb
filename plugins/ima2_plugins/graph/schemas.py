"""What the OpenAPI document says of nodes."""

from __future__ import annotations

from typing import Any

from ima2 import web

_TEXT = {"type": "string"}
NODE_BODY = web.picture_job_body(
    {"prompt": "the same street at night", "parentNodeId": "n_0a1b2c3d4e"},
    parentNodeId={**_TEXT, "description": "a stored node to grow from"},
    externalSrc={**_TEXT, "description": "a file of the gallery to grow from"},
    contextMode={**_TEXT, "enum": ["parent-plus-refs", "parent-only"]},
    searchMode={**_TEXT, "enum": ["on", "auto", "off"]},
)
_FOUND = {"nodeId": "n_0a1b2c3d4e", "meta": {"prompt": "a street"}, "url": "/generated/n_0a1b2c3d4e.png"}
_MISSING = {"error": {"code": "NODE_NOT_FOUND", "message": "…"}}
NODE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The node", "content": {"application/json": {"example": _FOUND}}},
    404: {"description": "No such node", "content": {"application/json": {"example": _MISSING}}},
}
