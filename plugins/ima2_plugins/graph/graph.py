"""A graph as a client sends it, checked: nodes with places and data, edges between them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

import ima2

LONGEST_ID, LONGEST_DATA = 10_000, 100_000
_VERSION = re.compile(r"[+-]?\d{1,15}(\.0*)?")


@dataclass(frozen=True, slots=True)
class Graph:
    """``nodes`` (id, x, y, data) and ``edges`` (id, source, target, data). ``skipped`` counts what had no id, or led
    nowhere, and was left out."""

    nodes: Sequence[dict[str, Any]]
    edges: Sequence[dict[str, Any]]
    skipped: Mapping[str, int]

    def check_parents(self) -> None:
        """409 ``GRAPH_PARENT_CONFLICT`` where a node has two incoming edges."""
        for node, count in Counter(edge["target"] for edge in self.edges).items():
            if count > 1:
                raise ima2.Ima2Error("GRAPH_PARENT_CONFLICT", 409, f"Node {node[:100]} has multiple parent edges.")


def lists_of(fields: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """The two lists of a body. 400 ``INVALID_GRAPH``."""
    nodes, edges = fields.get("nodes"), fields.get("edges")
    if not isinstance(nodes, list) or not isinstance(edges, list):
        raise ima2.Ima2Error("INVALID_GRAPH", 400, "nodes and edges must be lists.")
    return nodes, edges


def check_size(nodes: Sequence[Any], edges: Sequence[Any], most_nodes: int, most_edges: int) -> None:
    """413 ``GRAPH_TOO_LARGE``."""
    if len(nodes) > most_nodes or len(edges) > most_edges:
        sent = f"{len(nodes)} and {len(edges)}"
        text = f"A graph has at most {most_nodes} nodes and {most_edges} edges; this one has {sent}."
        raise ima2.Ima2Error("GRAPH_TOO_LARGE", 413, text)


def version_of(header: str) -> int:
    """The number of an ``If-Match`` header, bare or in quotes. 400 ``INVALID_GRAPH_VERSION``."""
    text = header.strip().strip('"').strip()
    if not _VERSION.fullmatch(text):
        raise ima2.Ima2Error("INVALID_GRAPH_VERSION", 400, "If-Match must hold the version of the graph, a number.")
    return int(float(text))


def graph_of(nodes: Sequence[Any], edges: Sequence[Any]) -> Graph:
    """The graph in two lists. Blocks for large ones.

    400 ``INVALID_GRAPH`` for an id that is there twice or is no id, 413 ``GRAPH_TOO_LARGE`` for data of more than
    100000 characters: nothing is dropped that a client would miss.
    """
    taken = [_node(one) for one in nodes if isinstance(one, dict) and _is_text(one.get("id"))]
    known = {node["id"] for node in taken}
    joined = [_edge(one) for one in edges if isinstance(one, dict) and _joins(one, known)]
    for kind, rows in (("node", taken), ("edge", joined)):
        twice = next((one for one, count in Counter(row["id"] for row in rows).items() if count > 1), None)
        if twice is not None:
            raise ima2.Ima2Error("INVALID_GRAPH", 400, f"The {kind} id {twice[:100]} is there twice.")
    _adopt(taken, joined)
    return Graph(taken, joined, {"nodes": len(nodes) - len(taken), "edges": len(edges) - len(joined)})


def _node(one: Mapping[str, Any]) -> dict[str, Any]:
    raw = one.get("position")
    place = raw if isinstance(raw, dict) else {}
    x, y = (_number(one[axis] if axis in one else place.get(axis)) for axis in ("x", "y"))
    return {"id": _id(one["id"]), "x": x, "y": y, "data": _data(one)}


def _edge(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: _id(one[name]) for name in ("id", "source", "target")}, "data": _data(one)}


def _joins(edge: Mapping[str, Any], known: set[str]) -> bool:
    ends = (edge.get("source"), edge.get("target"))
    return _is_text(edge.get("id")) and all(isinstance(end, str) and end in known for end in ends)


def _adopt(nodes: Sequence[dict[str, Any]], edges: Sequence[dict[str, Any]]) -> None:
    """Write the picture that each node grew from into it: the one of its parent, or none."""
    by_id = {node["id"]: node["data"].get("serverNodeId") for node in nodes}
    parents = {edge["target"]: by_id[edge["source"]] for edge in edges}
    for node in nodes:
        parent = parents.get(node["id"])
        node["data"] = {**node["data"], "parentServerNodeId": parent if isinstance(parent, str) else None}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _id(value: str) -> str:
    if len(value) > LONGEST_ID or "\x00" in value:
        raise ima2.Ima2Error("INVALID_GRAPH", 400, f"An id has at most {LONGEST_ID} characters, and no NUL.")
    return value


def _number(value: object) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good and isinstance(value, int | float) and abs(value) < 1e15 else 0.0


def _data(one: Mapping[str, Any]) -> dict[str, Any]:
    value = one.get("data")
    data = value if isinstance(value, dict) else {}
    if len(orjson.dumps(data).decode()) > LONGEST_DATA:
        text = f"The data of {str(one.get('id'))[:100]} has more than {LONGEST_DATA} characters of JSON."
        raise ima2.Ima2Error("GRAPH_TOO_LARGE", 413, text)
    return data
