"""The prompts in the database: each function is one piece of work of a transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, or_, select, update

import ima2
from ima2_plugins.prompts import fields
from ima2_plugins.prompts.folders import ensure_system_folders, require_folder
from ima2_plugins.prompts.rows import prompt_row, tags_text, version_of
from ima2_plugins.prompts.tables import PROMPTS, ROOT, TRASH


def find(connection: Connection, search: str, folder: str, *, favorites: bool) -> list[dict[str, Any]]:
    """Prompts, the newest change first; without a folder all but the trash. ``search`` is a part of name, text or
    tags, in any case."""
    asked = select(PROMPTS)
    asked = asked.where(PROMPTS.c.folder_id == folder) if folder else asked.where(PROMPTS.c.folder_id != TRASH)
    if favorites:
        asked = asked.where(PROMPTS.c.is_favorite != 0)
    if search:
        columns = (PROMPTS.c.name, PROMPTS.c.text, PROMPTS.c.tags)
        asked = asked.where(or_(*(func.lower(one).contains(search.lower(), autoescape=True) for one in columns)))
    newest = asked.order_by(PROMPTS.c.updated_at.desc(), PROMPTS.c.created_at.desc(), PROMPTS.c.id.desc())
    return [prompt_row(row) for row in connection.execute(newest).mappings()]


def get(connection: Connection, prompt_id: str) -> dict[str, Any]:
    """One prompt. 404 ``PROMPT_NOT_FOUND``."""
    return prompt_row(_row(connection, prompt_id))


def create(connection: Connection, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a new prompt. 400 ``TEXT_REQUIRED``, ``FOLDER_NOT_FOUND``."""
    ensure_system_folders(connection)
    text = fields.prompt_text(given.get("text"))
    folder = given.get("folderId") or ROOT
    require_folder(connection, folder)
    row = {
        "id": fields.new_id(),
        "folder_id": folder,
        "name": fields.short_name(given.get("name"), text),
        "text": text,
        "tags": fields.tag_list(given.get("tags")) or [],
        "mode": fields.mode(given.get("mode")),
    }
    return get(connection, add(connection, row))


def add(connection: Connection, row: dict[str, Any], *, favorite: bool = False) -> str:
    """Write one checked prompt; its id. Since when an imported favourite is one, nobody knows."""
    now = int(time.time())
    stored = {**row, "is_favorite": int(favorite), "tags": tags_text(row["tags"]), "created_at": now, "updated_at": now}
    connection.execute(insert(PROMPTS), stored)
    return str(row["id"])


def change(connection: Connection, prompt_id: str, given: Mapping[str, Any], version: str = "") -> dict[str, Any]:
    """Change a prompt. 404; 400 ``NOTHING_TO_CHANGE``; 409 ``PROMPT_CHANGED`` when it is no longer the ``version`` that
    the client has seen."""
    ensure_system_folders(connection)
    row = _row(connection, prompt_id)
    changes = fields.prompt_changes(given)
    if version and version_of(row) != version:
        text = "The prompt was changed by somebody else meanwhile."
        raise ima2.Ima2Error("PROMPT_CHANGED", 409, text, details={"prompt": prompt_row(row)})
    if "folder_id" in changes:
        require_folder(connection, changes["folder_id"])
    if "tags" in changes:
        changes["tags"] = tags_text(changes["tags"])
    _write(connection, prompt_id, {**changes, "updated_at": max(int(time.time()), row["updated_at"])})
    return get(connection, prompt_id)


def trash(connection: Connection, prompt_id: str) -> None:
    """Move a prompt to the trash; one that is not there is no trouble, as ima2-gen has it."""
    ensure_system_folders(connection)
    _write(connection, prompt_id, {"folder_id": TRASH, "updated_at": int(time.time())})


def toggle_favorite(connection: Connection, prompt_id: str) -> dict[str, Any]:
    """Mark a prompt as a favourite, or take the mark away. 404."""
    marked = not _row(connection, prompt_id)["is_favorite"]
    now = int(time.time()) if marked else None
    _write(connection, prompt_id, {"is_favorite": int(marked), "favorited_at": now})
    return {"isFavorite": marked, "favoritedAt": now}


def _row(connection: Connection, prompt_id: str) -> RowMapping:
    row = connection.execute(select(PROMPTS).where(PROMPTS.c.id == prompt_id)).mappings().first()
    if row is None:
        raise ima2.Ima2Error("PROMPT_NOT_FOUND", 404, "Not found")
    return row


def _write(connection: Connection, prompt_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(update(PROMPTS).where(PROMPTS.c.id == prompt_id).values(**values))
