"""What the routes that start jobs share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import Request

from ima2 import interfaces
from ima2.errors import Ima2Error
from ima2.interfaces import JobHandle, Label, Studio
from ima2.runtime import Runtime
from ima2.server.access import runtime_of
from ima2.server.bodies import BIG, read_json
from ima2.server.replies import Json, by_url, failure, reply

T = TypeVar("T")


async def read_fields(request: Request, runtime: Runtime) -> Mapping[str, Any]:
    """The body as a JSON object, or 400 ``INVALID_BODY`` where there is none."""
    fields = await read_json(request, runtime.settings.body_limit)
    if fields is None:
        raise Ima2Error("INVALID_BODY", 400, "A JSON body is needed (Content-Type: application/json).")
    return fields


async def off_loop(request: Request, read: Callable[..., T], *arguments: Any) -> T:
    """Run a reader of a body in place, or in a thread when the body is large."""
    large = int(request.headers.get("content-length") or BIG + 1) > BIG
    return await asyncio.to_thread(read, *arguments) if large else read(*arguments)


def claimed_id(fields: Mapping[str, Any], fallback: str) -> str:
    """The id a refused request is answered with."""
    value = fields.get("requestId")
    return value if isinstance(value, str) and 0 < len(value) <= 128 else fallback


async def read_job(request: Request) -> Mapping[str, Any]:
    """The body of a request for a job, within the limit that the settings allow. Raises as `read_fields` does."""
    return await read_fields(request, runtime_of(request))


async def submit(
    request: Request, studio: Studio, fields: Mapping[str, Any], asked: interfaces.Request, label: Label
) -> JobHandle:
    """Hand a request to the studio in the name of the client that sent it. ``"queue": true`` lets it wait in line."""
    headers, peer = request.headers, request.client
    client = headers.get("x-ima2-browser-id") or headers.get("x-ima2-client") or (peer.host if peer else "")
    return await studio.submit(asked, replace(label, client=client[:80]), queue=fields.get("queue") is True)


def accepted(handle: JobHandle, **more: Any) -> Json:
    """The job goes on by itself; the answer is 202 with its id."""
    return Json({"requestId": handle.id, **more}, 202)


async def finished(handle: JobHandle, images: str = "data") -> Json:
    """Wait for the end of a job: its ``done`` or ``error`` data as an answer."""
    try:
        answer = (await handle.result()).data
    except Ima2Error as error:
        return failure(error, handle.data)
    return await reply(by_url(answer) if images == "url" else answer)
