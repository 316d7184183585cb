"""Changes of a session that a client asks for: checked as a whole first, written in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

import ima2
from ima2 import web
from ima2_plugins.agent import conversation, sessions, values
from ima2_plugins.agent.run import image_values

if TYPE_CHECKING:
    from ima2_plugins.agent.agent import Agent

COMPACTED = 200
"""Turns that compaction looks back on."""


async def create(agent: Agent, body: Mapping[str, Any]) -> str:
    """A new session; its id. 400 ``AGENT_IMAGE_INVALID`` and 404 ``AGENT_IMAGE_NOT_FOUND`` for its picture."""
    title = values.title(body.get("title"), "New Agent") or "New Agent"
    search = body.get("webSearchEnabled") is not False
    settings = values.accepted(body.get("generationSettings"), agent.makers())
    given = body.get("currentImage")
    image = await _image(agent, given) if isinstance(given, Mapping) else None
    wanted = given.get("id") if isinstance(given, Mapping) else None
    image_id = wanted if isinstance(wanted, str) and 0 < len(wanted) <= 64 and wanted.isprintable() else ""

    def work(connection: Connection) -> str:
        session_id = sessions.create(connection, title, web_search=search, settings=settings)
        if image is not None:
            sessions.add_image(connection, session_id, image, image_id=image_id)
        return session_id

    return await agent.write(work)


async def change(agent: Agent, session_id: str, body: Mapping[str, Any]) -> None:
    """Write what was given and holds. 404 ``AGENT_SESSION_NOT_FOUND``, ``AGENT_IMAGE_NOT_FOUND``; nothing is changed
    then."""
    row = await agent.read(lambda connection: sessions.find(connection, session_id))
    wanted: dict[str, Any] = {}
    if title := values.title(body.get("title"), None):
        wanted["title"] = title
    for name, column in (("styleLocks", "style_locks"), ("subjectLocks", "subject_locks")):
        if (texts := values.locks(body.get(name))) is not None:
            wanted[column] = values.dumps(texts)
    settings = values.accepted(body.get("generationSettings"), agent.makers())
    if isinstance(body.get("webSearchEnabled"), bool):
        settings["webSearchEnabled"] = body["webSearchEnabled"]
    if "webSearchEnabled" in settings:
        wanted["web_search_enabled"] = int(settings["webSearchEnabled"])
    image = body.get("currentImageId", row["current_image_id"])
    if image is not None and not isinstance(image, str):
        image = ""

    def work(connection: Connection) -> None:
        now = sessions.find(connection, session_id)
        if "currentImageId" in body:
            known = image is None or sessions.require_image(connection, session_id, image)
            wanted["current_image_id"] = image if known else None
        if settings:
            merged = {**values.loads(now["generation_settings"], dict), **settings}
            wanted["generation_settings"] = values.dumps(merged)
        sessions.change(connection, session_id, **wanted)

    await agent.write(work, session_id)


async def compact(agent: Agent, session_id: str) -> None:
    """Sum a session up in a turn. 404."""

    def work(connection: Connection) -> None:
        row = sessions.find(connection, session_id)
        rows, _ = sessions.turns(connection, session_id, COMPACTED)
        text = conversation.remains(row, rows, len(sessions.images(connection, session_id)))
        sessions.change(connection, session_id, compacted=1)
        sessions.add_turn(connection, session_id, "assistant", text)

    await agent.write(work, session_id)


async def _image(agent: Agent, given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a picture of the gallery that a client names. Its address comes from its name, not from the
    client."""
    name = given.get("filename")
    if not isinstance(name, str) or not web.is_media_key(name):
        raise ima2.Ima2Error("AGENT_IMAGE_INVALID", 400, "currentImage.filename must name a picture of the gallery.")
    try:
        item = await agent.ctx.library.get(name)
    except KeyError:
        raise ima2.Ima2Error("AGENT_IMAGE_NOT_FOUND", 404, "The gallery has no such picture.") from None
    prompt, revised = given.get("prompt") or given.get("userPrompt"), given.get("revisedPrompt")
    prompt = prompt if isinstance(prompt, str) else item.facts.get("prompt")
    revised = revised if isinstance(revised, str) else item.facts.get("revised_prompt")
    return image_values(item.key, item.url, _text(prompt), _text(revised)) | {"thumb_url": item.thumb_url}


def _text(value: Any) -> str | None:
    return value[: values.PROMPT_CHARS] if isinstance(value, str) else None
