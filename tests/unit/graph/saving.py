"""Saving graphs as clients do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx


async def save(
    client: httpx.AsyncClient,
    session: str,
    version: object,
    nodes: Sequence[Any],
    edges: Sequence[Any] = (),
    **more: Any,
) -> httpx.Response:
    return await client.put(
        f"/api/sessions/{session}/graph",
        json={"nodes": list(nodes), "edges": list(edges), **more},
        headers={"If-Match": str(version)},
    )


def node(id: str, **data: Any) -> dict[str, Any]:
    return {"id": id, "x": 1, "y": 2, "data": data}
