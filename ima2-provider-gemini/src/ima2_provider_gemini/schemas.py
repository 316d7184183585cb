"""From a JSON schema to Google's ``Schema``, a subset of OpenAPI 3.0 (Gemini API reference, type ``Schema``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEPT = frozenset(
    {
        *("description", "title", "format", "enum", "required", "default", "pattern", "nullable", "propertyOrdering"),
        *("minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength", "minimum", "maximum"),
    }
)
_DEPTH = 32


def response_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Google's form of a schema. References into ``$defs`` are filled in; keywords that Google does not have (such as
    ``additionalProperties``) are left out. Raises ``ValueError`` for one that refers to itself or to nothing."""
    return _convert(schema, schema, 0)


def _convert(node: Any, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if depth > _DEPTH or not isinstance(node, Mapping):
        raise ValueError("the schema refers to itself or is no schema")
    if "$ref" in node:
        return _convert(_target(str(node["$ref"]), root), root, depth + 1)
    found = {name: value for name, value in node.items() if name in _KEPT}
    found |= _type(node.get("type"))
    if "const" in node:
        found["enum"] = [node["const"]]
    for name in ("anyOf", "oneOf"):
        if isinstance(node.get(name), list):
            found["anyOf"] = [_convert(one, root, depth + 1) for one in node[name]]
    if "items" in node:
        found["items"] = _convert(node["items"], root, depth + 1)
    if isinstance(node.get("properties"), Mapping):
        found["properties"] = {name: _convert(one, root, depth + 1) for name, one in node["properties"].items()}
    return found


def _type(value: Any) -> dict[str, Any]:
    """A type by Google's name; ``["string", "null"]`` is a string that may be null."""
    names = value if isinstance(value, list) else [value] if value else []
    kinds = [str(name).upper() for name in names if name != "null"]
    found: dict[str, Any] = {"nullable": True} if "null" in names and kinds else {}
    if not kinds:
        return {"type": "NULL"} if names else found
    return found | ({"type": kinds[0]} if len(kinds) == 1 else {"anyOf": [{"type": kind} for kind in kinds]})


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    """What a reference within the document points to."""
    node: Any = root
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(node, Mapping) or step not in node:
            raise ValueError("the schema refers to nothing")
        node = node[step]
    return node
