"""The workspace: what a client sees of agent mode, with one session in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping

import ima2
from ima2_plugins.agent import queue, sessions
from ima2_plugins.agent.manifest import manifest
from ima2_plugins.agent.values import loads, shown


@dataclass(frozen=True, slots=True)
class View:
    """Which part is wanted. ``selected`` is a session's id, ``before`` a turn's; ``since`` is in milliseconds."""

    selected: str | None = None
    limit: int = 1000
    before: str = ""
    since: int = 0
    everything: bool = False


def workspace(
    connection: Connection, view: View, tools: Sequence[str], provider: ima2.Provider | None
) -> dict[str, Any]:
    """All sessions in short, and the turns, pictures and queue of the selected one; of all with ``everything``, as
    ima2-gen has it."""
    rows, counts, summaries = sessions.newest(connection), sessions.counts(connection), queue.summaries(connection)
    ids = [row["id"] for row in rows]
    chosen = view.selected if view.selected in ids else next(iter(ids), None)
    row = next((one for one in rows if one["id"] == chosen), None)
    found: dict[str, Any] = {
        "sessions": [_session(one, counts.get(one["id"]), provider) for one in rows],
        "turnsBySession": {},
        "imagesById": {},
        "imageIdsBySession": {},
        "selectedSessionId": chosen,
        "currentImageId": row["current_image_id"] if row is not None else None,
        "allowedTools": list(tools),
        "manifest": manifest(connection, chosen, tools) if chosen else None,
        "queueBySession": {},
        "runSummaryBySession": {one: summaries.get(one) or queue.summary({}) for one in ids},
        "olderTurns": False,
    }
    for session_id in ids if view.everything else [chosen] if chosen else []:
        _fill(connection, session_id, view, found)
    return found


def _fill(connection: Connection, session_id: str, view: View, found: dict[str, Any]) -> None:
    turns, older = sessions.turns(connection, session_id, view.limit, before=view.before, since=view.since)
    images = sessions.images(connection, session_id)
    found["turnsBySession"][session_id] = [turn(one) for one in turns]
    found["imagesById"] |= {one["id"]: _image(one) for one in images}
    found["imageIdsBySession"][session_id] = [one["id"] for one in images]
    found["queueBySession"][session_id] = [queue.wire(one) for one in queue.listed(connection, session_id)]
    found["olderTurns"] = found["olderTurns"] or older


def turn(row: RowMapping) -> dict[str, Any]:
    """A turn as clients read it."""
    calls = loads(row["raw"], dict).get("toolCalls")
    said = {
        "id": row["id"],
        "role": row["role"],
        "text": row["text"],
        "status": row["status"],
        "imageIds": loads(row["image_ids"], list),
        "webFindingIds": loads(row["web_finding_ids"], list),
        "createdAt": row["created_at"],
    }
    return {**said, "toolCalls": calls} if calls else said


def _session(row: RowMapping, pictures: tuple[int, str] | None, provider: ima2.Provider | None) -> dict[str, Any]:
    count, last = pictures or (0, None)
    search = bool(row["web_search_enabled"])
    return {
        "id": row["id"],
        "title": row["title"],
        "codexThreadId": row["codex_thread_id"],
        "lastTurnId": row["last_turn_id"],
        "lastImageId": last,
        "imageCount": count,
        "compacted": bool(row["compacted"]),
        "webSearchEnabled": search,
        "generationSettings": settings_of(row, provider),
        "styleLocks": loads(row["style_locks"], list),
        "subjectLocks": loads(row["subject_locks"], list),
        "updatedAt": row["updated_at"],
    }


def settings_of(row: RowMapping, provider: ima2.Provider | None) -> dict[str, Any]:
    """The settings of a session as clients read them."""
    explicit = loads(row["generation_settings"], dict)
    return {**shown(explicit, provider), "webSearchEnabled": bool(row["web_search_enabled"])}


def _image(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "filename": row["filename"],
        "url": row["url"],
        "thumbUrl": row["thumb_url"],
        "prompt": row["prompt"],
        "revisedPrompt": row["revised_prompt"],
        "width": row["width"],
        "height": row["height"],
        "createdAt": row["created_at"],
    }
