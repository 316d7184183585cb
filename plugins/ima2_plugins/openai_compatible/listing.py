"""What a server says that it serves: ``GET /models``, free of charge."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from ima2 import Model, ProviderStatus
from ima2_plugins.openai_compatible.capabilities import declared
from ima2_plugins.openai_compatible.connection import Connection, Reply

LISTED = "listed by the server"
_NAME = re.compile(r"[\x21-\x7e]{1,120}")
_MOST = 500


async def status(connection: Connection) -> ProviderStatus:
    """``ready`` for anything that is served, a server without such a list too."""
    reply = await connection.look("/models", connection.server.status_timeout_s)
    if reply is None:
        return ProviderStatus("offline", reason="No answer came in time.")
    if reply.status in (401, 403):
        return ProviderStatus("auth_required", reason=f"The list of models was answered with {reply.status}.")
    if reply.status >= 500:
        return ProviderStatus("error", reason=f"The list of models was answered with {reply.status}.")
    return ProviderStatus("ready", tuple(row["id"] for row in _rows(reply)))


async def models(connection: Connection) -> tuple[Model, ...]:
    """The models of the list; those that the settings name keep what is said of them there."""
    reply = await connection.look("/models", connection.server.status_timeout_s)
    if reply is None or reply.status != 200:
        return ()
    known = {one.id: one for one in declared(connection.server)}
    draws = connection.server.images or connection.server.edits
    today = date.today().isoformat()
    found: dict[str, Model] = {}
    for row in _rows(reply):
        name = row["id"]
        fresh = Model(name, media=_medium(row, draws=draws), classic=False)
        found[name] = replace(known.get(name, fresh), source=LISTED, checked=today)
    return tuple(found.values())


def _rows(reply: Reply) -> list[dict[str, Any]]:
    listed = reply.value.get("data") if isinstance(reply.value, dict) else reply.value
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return [row for row in rows if isinstance(row.get("id"), str) and _NAME.fullmatch(row["id"])][:_MOST]


def _medium(row: dict[str, Any], *, draws: bool) -> Literal["image", "text"]:
    """What a model is for, where the list says so in a word; else what the server is for."""
    said = str(row.get("type") or row.get("mode") or "").lower()
    if said.startswith("image"):
        return "image"
    return "text" if said in ("chat", "language", "text", "completion") or not draws else "image"
