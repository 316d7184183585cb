"""The graph of a session: read, save, and bring an older version back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.graph import examples, graph, sessions, versions
from ima2_plugins.graph.errors import SessionRoute

if TYPE_CHECKING:
    from ima2_plugins.graph.settings import GraphSettings

LONGEST_BODY = 52_428_800


def graph_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes of graphs."""
    router, database = APIRouter(tags=["sessions"], route_class=SessionRoute), ctx.database

    @router.get("/api/sessions/{session_id}/graph", summary="Read a graph", responses=examples.GRAPH_READ)
    async def read(session_id: str) -> web.Json:
        """``nodes``, ``edges`` and the ``version`` that `If-Match` wants."""
        found = (await database.read(lambda connection: sessions.read(connection, session_id)))["graph"]
        return web.Json({**found, "graphVersion": found["version"]})

    @router.put(
        "/api/sessions/{session_id}/graph",
        summary="Save a graph",
        responses=examples.GRAPH_SAVED,
        openapi_extra=examples.body(examples.GRAPH, versioned=True),
    )
    async def save(request: Request, session_id: str) -> dict[str, Any]:
        """``nodes`` and ``edges`` take the place of the graph whose version ``If-Match`` names; ``allowEmpty`` lets
        none take the place of some. 428 ``GRAPH_VERSION_REQUIRED``, 409 ``GRAPH_VERSION_CONFLICT``, 413
        ``GRAPH_TOO_LARGE``."""
        settings: GraphSettings = ctx.settings
        fields = await web.read_json(request, LONGEST_BODY)
        nodes, edges = graph.lists_of(fields)
        header = _if_match(request)
        graph.check_size(nodes, edges, settings.max_nodes, settings.max_edges)
        expected = graph.version_of(header)
        sent = await asyncio.to_thread(graph.graph_of, nodes, edges)
        allow_empty = fields.get("allowEmpty") is True
        version = await database.write(
            lambda connection: versions.save(connection, session_id, expected, sent, allow_empty=allow_empty)
        )
        skipped = {"skipped": dict(sent.skipped)} if any(sent.skipped.values()) else {}
        return {"ok": True, "nodes": len(nodes), "edges": len(edges), "graphVersion": version, **skipped}

    @router.get(
        "/api/sessions/{session_id}/graph/versions",
        summary="List the versions of a graph",
        responses=examples.VERSIONS,
    )
    async def list_versions(session_id: str) -> web.Json:
        """The last twenty, the newest first."""
        found = await database.read(lambda connection: versions.list_versions(connection, session_id))
        return web.Json({"versions": found})

    @router.get(
        "/api/sessions/{session_id}/graph/versions/{version}",
        summary="Read an older version of a graph",
        responses=examples.VERSION,
    )
    async def read_version(session_id: str, version: str) -> web.Json:
        """404 ``GRAPH_VERSION_NOT_FOUND``."""
        number = graph.version_of(version)
        return web.Json(await database.read(lambda connection: versions.read_version(connection, session_id, number)))

    @router.post(
        "/api/sessions/{session_id}/graph/versions/{version}/restore",
        summary="Bring a version back",
        responses=examples.GRAPH_SAVED,
        openapi_extra=examples.versioned_by(),
    )
    async def restore(request: Request, session_id: str, version: str) -> dict[str, Any]:
        """It is saved again as the newest one; ``If-Match`` names the version it takes the place of."""
        header = _if_match(request)
        number, expected = graph.version_of(version), graph.version_of(header)
        now, old = await database.write(lambda connection: versions.restore(connection, session_id, number, expected))
        return {"ok": True, "nodes": len(old.nodes), "edges": len(old.edges), "graphVersion": now}

    return router


def _if_match(request: Request) -> str:
    header = request.headers.get("if-match", "")
    if not header:
        text = "The header If-Match must name the version of the graph that this takes the place of."
        raise ima2.Ima2Error("GRAPH_VERSION_REQUIRED", 428, text)
    return header
