"""Nodes of a graph: growing one, and looking one up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response

import ima2
from ima2 import web
from ima2_plugins.graph import node_request
from ima2_plugins.graph.node_request import NODE_ID, key_of, parent_id_of
from ima2_plugins.graph.node_view import node_error
from ima2_plugins.graph.schemas import NODE_BODY, NODE_RESPONSES

if TYPE_CHECKING:
    from ima2_plugins.graph.settings import GraphSettings


def node_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes of nodes."""
    router = APIRouter(tags=["nodes"])
    settings: GraphSettings = ctx.settings

    @router.post(
        "/api/node/generate",
        summary="Grow a node",
        openapi_extra={"requestBody": NODE_BODY},
        responses=web.JOB_RESPONSES,
        response_model=None,
    )
    async def grow(request: Request) -> Response:
        """One picture, from words or from a parent. JSON, an event stream (``Accept: text/event-stream``) or 202
        (``async``).

        Whatever is wrong with the request is JSON with a real status, for streams too.
        """
        fields, request_id = await web.read_job(request), web.request_id(request)
        as_stream = "text/event-stream" in request.headers.get("accept", "")
        try:
            asked, label = await node_request.read(
                fields,
                ctx.studio,
                ctx.library.storage,
                request_id,
                node_bytes=settings.node_hex_bytes,
                stream=as_stream,
            )
            handle = await web.submit(request, ctx.studio, fields, asked, label)
        except ima2.Ima2Error as error:
            parent = parent_id_of(web.Body(fields))
            return web.failure(error, node_error(error, parent, web.claimed_id(fields, request_id)))
        if fields.get("async") is True:
            return web.accepted(handle)
        return web.event_stream(handle) if as_stream else await web.finished(handle)

    @router.get("/api/node/{node_id}", summary="Look a node up", responses=NODE_RESPONSES)
    async def node(node_id: str) -> web.Json:
        """What is known of a node, and where its picture is. 404 ``NODE_NOT_FOUND``."""
        key = await key_of(node_id, ctx.library.storage) if NODE_ID.fullmatch(node_id) else None
        meta = await web.sidecar_facts(ctx.library.storage, key) if key else {}
        if not key or not meta:
            return web.Json({"error": {"code": "NODE_NOT_FOUND", "message": "There is no such node."}}, 404)
        return web.Json({"nodeId": node_id, "meta": meta, "url": web.file_url(key)})

    return router
