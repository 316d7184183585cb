"""The routes of agent mode. Nothing is streamed here: clients poll the workspace, cheaply, with ``since`` and
``If-None-Match``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import PlainTextResponse, Response

import ima2
from ima2 import web
from ima2_plugins.agent import changes, planning, queue, sessions, values
from ima2_plugins.agent.agent import Agent, agent_of
from ima2_plugins.agent.asking import ask, overrides
from ima2_plugins.agent.manifest import manifest
from ima2_plugins.agent.workspace import View

PREFIX = "/api/agent"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,120}")


def routes(ctx: ima2.PluginContext) -> ima2.Routes:
    """Everything below ``/api/agent``, with the errors that its clients know."""
    router, agent = APIRouter(tags=["agent"]), agent_of(ctx)
    _reading(router, agent)
    _changing(router, agent)
    _working(router, agent)
    return ima2.Routes(router, PREFIX, _error)


def _error(error: ima2.Ima2Error) -> Mapping[str, Any]:
    return {"error": {"code": error.code, "message": error.text}, "code": error.code, **error.details}


def _reading(router: APIRouter, agent: Agent) -> None:
    @router.get("/tools", summary="What the agent may use")
    async def tools() -> web.Json:
        """Its own four tools, then those of plugins."""
        return web.Json({"tools": agent.tools()})

    @router.get("/sessions", summary="The workspace", response_model=None)
    async def workspace(request: Request) -> Response:
        """All sessions in short and the selected one in full; ``?scope=all`` gives every one in full. ``since`` and
        ``before`` narrow the turns."""
        return await _polled(agent, request, request.query_params.get("selectedSessionId"))

    @router.get("/sessions/{session_id}", summary="One session", response_model=None)
    async def session(session_id: str, request: Request) -> Response:
        """The workspace with one session in full. 404 ``AGENT_SESSION_NOT_FOUND``."""
        await agent.read(lambda connection: sessions.find(connection, session_id))
        return await _polled(agent, request, session_id)

    @router.get("/sessions/{session_id}/manifest", summary="What a session holds to", response_model=None)
    async def session_manifest(session_id: str) -> Response:
        """Lines of text between two tags. 404 ``AGENT_SESSION_NOT_FOUND``."""
        tools = agent.tools()
        text = await agent.read(lambda connection: manifest(connection, session_id, tools))
        return PlainTextResponse(text, media_type="application/xml")

    @router.get("/queue", summary="The whole queue")
    async def whole_queue() -> web.Json:
        """What runs, waits, failed and ended, at most 80 items."""
        rows = await agent.read(queue.listed)
        return web.Json({"queue": [queue.wire(row) for row in rows]})

    @router.get("/sessions/{session_id}/queue", summary="The queue of a session")
    async def session_queue(session_id: str) -> web.Json:
        """As the whole queue. 404 ``AGENT_SESSION_NOT_FOUND``."""

        def work(connection: Connection) -> list[dict[str, Any]]:
            sessions.find(connection, session_id)
            return [queue.wire(row) for row in queue.listed(connection, session_id)]

        return web.Json({"queue": await agent.read(work)})


def _changing(router: APIRouter, agent: Agent) -> None:
    @router.post("/sessions", summary="Begin a session", status_code=201)
    async def create(request: Request) -> web.Json:
        """With ``title``, ``currentImage`` (a picture of the gallery) and ``webSearchEnabled``, all optional."""
        session_id = await changes.create(agent, await web.read_json(request))
        return web.Json(await agent.workspace(_view(agent, session_id)), 201)

    @router.patch("/sessions/{session_id}", summary="Change a session")
    async def change(session_id: str, request: Request) -> web.Json:
        """All of it or nothing. 404 ``AGENT_SESSION_NOT_FOUND``, ``AGENT_IMAGE_NOT_FOUND``."""
        await changes.change(agent, session_id, await web.read_json(request))
        return web.Json(await agent.workspace(_view(agent, session_id)))

    @router.delete("/sessions/{session_id}", summary="Delete a session")
    async def delete(session_id: str) -> web.Json:
        """What it does is stopped; its pictures stay in the gallery. 404 ``AGENT_SESSION_NOT_FOUND``."""
        await agent.remove(session_id)
        return web.Json(await agent.workspace(_view(agent, None)))

    @router.post("/sessions/{session_id}/compact", summary="Compact a session")
    async def compact(session_id: str) -> web.Json:
        """A turn sums up what was. 404 ``AGENT_SESSION_NOT_FOUND``."""
        await changes.compact(agent, session_id)
        return web.Json(await agent.workspace(_view(agent, session_id)))


def _working(router: APIRouter, agent: Agent) -> None:
    @router.post("/sessions/{session_id}/turns", summary="One picture, now")
    async def turn(session_id: str, request: Request) -> web.Json:
        """Waits for it. 400 ``AGENT_PROMPT_REQUIRED``, 404, and what the provider answers."""
        body = await web.read_json(request)
        settings = overrides(agent, await agent.settings_of(session_id), body)
        prompt, asked_id = values.prompt(body.get("prompt")), body.get("requestId")
        request_id = asked_id if isinstance(asked_id, str) and _REQUEST_ID.fullmatch(asked_id) else ""
        reason = "One picture was asked for directly."
        plan = planning.Plan("single", [prompt], 1, 1, "auto-default", reason).wire()
        await agent.draw(session_id, plan, settings, request_id)
        return web.Json(await agent.workspace(_view(agent, session_id)))

    @router.post("/sessions/{session_id}/queue", summary="Write into a session", status_code=202)
    async def enqueue(session_id: str, request: Request) -> web.Json:
        """202 with the item that waits; 200 for help and questions, which are answered at once. 400, 404."""
        item = await ask(agent, session_id, await web.read_json(request))
        found = await agent.workspace(_view(agent, session_id))
        return web.Json({"queueItem": item, "workspace": found}, 202 if item else 200)

    @router.post("/queue/{item_id}/cancel", summary="Cancel queued or running work")
    async def cancel(item_id: str) -> web.Json:
        """404 ``AGENT_QUEUE_ITEM_NOT_FOUND``; 409 ``AGENT_QUEUE_CANCEL_FAILED`` for what has ended."""
        return web.Json(await agent.workspace(_view(agent, await agent.cancel(item_id))))

    @router.post("/queue/{item_id}/retry", summary="Let failed or canceled work wait again")
    async def retry(item_id: str) -> web.Json:
        """404 ``AGENT_QUEUE_ITEM_NOT_FOUND``; 409 ``AGENT_QUEUE_RETRY_FAILED`` for any other."""

        def work(connection: Connection) -> str:
            queue.retry(connection, item_id)
            return str(queue.find(connection, item_id)["session_id"])

        session_id = await agent.write(work)
        agent.worker.wake()
        return web.Json(await agent.workspace(_view(agent, session_id)))


def _view(agent: Agent, selected: str | None) -> View:
    return View(selected, agent.settings.turns)


async def _polled(agent: Agent, request: Request, selected: str | None) -> Response:
    """The workspace, or 304 where nothing was written since the client last saw it."""
    asked = request.query_params
    said = hashlib.sha256(f"{selected} {sorted(asked.items())}".encode()).hexdigest()[:12]
    tag = f'W/"{agent.boot}-{agent.revision}-{said}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    view = View(
        selected,
        _whole(asked.get("turns"), agent.settings.turns) or agent.settings.turns,
        asked.get("before", ""),
        _whole(asked.get("since"), 2**53),
        asked.get("scope") == "all",
    )
    answer = web.Json(await agent.workspace(view))
    answer.headers["ETag"] = tag
    return answer


def _whole(text: str | None, most: int) -> int:
    return min(int(text), most) if text and text.isascii() and text.isdigit() and len(text) < 16 else 0
