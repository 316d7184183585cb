"""Nodes of a graph: growing one, and looking one up."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from ima2.errors import Ima2Error
from ima2.library.rows import sidecar_of, url_of
from ima2.server import examples
from ima2.server.access import request_id_of, runtime_of
from ima2.server.job_routes import accepted, claimed_id, finished, read_fields, submit
from ima2.server.replies import Json, failure
from ima2.server.schemas import GENERATE_RESPONSES, NODE_BODY
from ima2.server.streams import event_stream
from ima2.server.wire import node as adapter
from ima2.server.wire.body import Body
from ima2.server.wire.node import NODE_ID, key_of, node_error, parent_id_of

router = APIRouter(tags=["nodes"])


@router.post(
    "/api/node/generate",
    summary="Grow a node",
    openapi_extra={"requestBody": NODE_BODY},
    responses=GENERATE_RESPONSES,
    response_model=None,
)
async def grow(request: Request) -> Response:
    """One picture, from words or from a parent. JSON, an event stream (``Accept: text/event-stream``) or 202
    (``async``).

    Whatever is wrong with the request is JSON with a real status, for streams too.
    """
    runtime, request_id = runtime_of(request), request_id_of(request)
    fields = await read_fields(request, runtime)
    as_stream = "text/event-stream" in request.headers.get("accept", "")
    try:
        asked, label = await adapter.read(
            fields,
            runtime.studio,
            runtime.library.storage,
            request_id,
            node_bytes=runtime.settings.node_hex_bytes,
            stream=as_stream,
        )
        handle = await submit(request, runtime, fields, asked, label)
    except Ima2Error as error:
        return failure(error, node_error(error, parent_id_of(Body(fields)), claimed_id(fields, request_id)))
    if fields.get("async") is True:
        return accepted(handle)
    return event_stream(handle) if as_stream else await finished(handle)


@router.get("/api/node/{node_id}", summary="Look a node up", responses=examples.NODE)
async def node(request: Request, node_id: str) -> Json:
    """What is known of a node, and where its picture is. 404 ``NODE_NOT_FOUND``."""
    storage = runtime_of(request).library.storage
    key = await key_of(node_id, storage) if NODE_ID.fullmatch(node_id) else None
    try:
        meta = orjson.loads(await storage.get(sidecar_of(key))) if key else None
    except (KeyError, orjson.JSONDecodeError):
        meta = None
    if key is None or meta is None:
        return Json({"error": {"code": "NODE_NOT_FOUND", "message": "There is no such node."}}, 404)
    return Json({"nodeId": node_id, "meta": meta, "url": url_of(key)})
