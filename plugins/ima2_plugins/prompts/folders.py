"""Folders of prompts in the database. Two of the system always exist: the root and the trash."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

import ima2
from ima2_plugins.prompts import fields
from ima2_plugins.prompts.rows import folder_row
from ima2_plugins.prompts.tables import FOLDERS, PROMPTS, ROOT, SYSTEM, TRASH


def ensure_system_folders(connection: Connection) -> None:
    """Make the two folders of the system where they are missing: prompts refer to them."""
    there = set(connection.execute(select(FOLDERS.c.id).where(FOLDERS.c.id.in_(SYSTEM))).scalars())
    for name in SYSTEM:
        if name not in there:
            connection.execute(insert(FOLDERS), {"id": name, "parent_id": ROOT, "name": name})


def own_folders(connection: Connection) -> list[dict[str, Any]]:
    """The user's folders by name, whatever its case."""
    rows = connection.execute(select(FOLDERS).where(FOLDERS.c.id.not_in(SYSTEM))).mappings()
    return sorted(map(folder_row, rows), key=lambda one: (one["name"].casefold(), one["id"]))


def require_folder(connection: Connection, folder: Any) -> None:
    """400 ``FOLDER_NOT_FOUND`` for what is no folder."""
    known = select(FOLDERS.c.id).where(FOLDERS.c.id == folder)
    if not isinstance(folder, str) or connection.execute(known).first() is None:
        raise ima2.Ima2Error("FOLDER_NOT_FOUND", 400, "There is no such folder")


def create_folder(connection: Connection, given: Mapping[str, Any]) -> dict[str, Any]:
    """A new folder. 400 ``NAME_REQUIRED``, ``FOLDER_NOT_FOUND``; 409 ``FOLDER_EXISTS``."""
    ensure_system_folders(connection)
    name, parent = fields.folder_name(given.get("name")), given.get("parentId") or ROOT
    _check_parent(connection, parent)
    _check_free(connection, parent, name)
    return add_folder(connection, fields.new_id(), parent, name)


def add_folder(connection: Connection, folder_id: str, parent: str, name: str) -> dict[str, Any]:
    """Write one checked folder."""
    now = int(time.time())
    row = {"id": folder_id, "parent_id": parent, "name": name, "created_at": now, "updated_at": now}
    connection.execute(insert(FOLDERS), row)
    return _get(connection, folder_id)


def change_folder(connection: Connection, folder_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Rename or move a folder. 400, 404 ``FOLDER_NOT_FOUND``, 409 ``FOLDER_EXISTS``."""
    ensure_system_folders(connection)
    changes = fields.folder_changes(given)
    now = _own(connection, folder_id)
    parent, name = changes.get("parent_id", now["parentId"]), changes.get("name", now["name"])
    if "parent_id" in changes:
        _check_parent(connection, parent)
        if parent in _subtree(connection, folder_id):
            raise ima2.Ima2Error("FOLDER_CYCLE", 400, "A folder cannot be moved into itself")
    _check_free(connection, parent, name, besides=folder_id)
    _update(connection, folder_id, **changes)
    return _get(connection, folder_id)


def delete_folder(connection: Connection, folder_id: str, *, items: bool) -> None:
    """Remove a folder. With ``items`` all prompts below it go to the trash and its folders with it; without, its
    prompts go to the root and its folders up to where it was. 400 for a folder of the system, 404."""
    ensure_system_folders(connection)
    gone = _own(connection, folder_id)
    ids = _subtree(connection, folder_id) if items else {folder_id}
    inside = PROMPTS.c.folder_id.in_(ids)
    target = {"folder_id": TRASH, "updated_at": int(time.time())} if items else {"folder_id": ROOT}
    connection.execute(update(PROMPTS).where(inside).values(**target))
    if not items:
        for child in _children(connection, folder_id):
            name = free_name(connection, gone["parentId"], child["name"])
            _update(connection, child["id"], parent_id=gone["parentId"], name=name)
    connection.execute(delete(FOLDERS).where(FOLDERS.c.id.in_(ids)))


def free_name(connection: Connection, parent: str, name: str) -> str:
    """The name, or with a number where the parent already has one like it."""
    number, wanted = 1, name
    while _taken(connection, parent, wanted):
        number += 1
        wanted = f"{name} ({number})"
    return wanted


def _own(connection: Connection, folder_id: str) -> dict[str, Any]:
    if folder_id in SYSTEM:
        raise ima2.Ima2Error("FOLDER_OF_SYSTEM", 400, "The root and the trash stay as they are")
    return _get(connection, folder_id)


def _get(connection: Connection, folder_id: str) -> dict[str, Any]:
    row = connection.execute(select(FOLDERS).where(FOLDERS.c.id == folder_id)).mappings().first()
    if row is None:
        raise ima2.Ima2Error("FOLDER_NOT_FOUND", 404, "There is no such folder")
    return folder_row(row)


def _check_parent(connection: Connection, parent: Any) -> None:
    require_folder(connection, parent)
    if parent == TRASH:
        raise ima2.Ima2Error("FOLDER_OF_SYSTEM", 400, "The trash holds no folders")


def _check_free(connection: Connection, parent: str, name: str, besides: str = "") -> None:
    if _taken(connection, parent, name, besides):
        raise ima2.Ima2Error("FOLDER_EXISTS", 409, "Folder name already exists in this parent")


def _taken(connection: Connection, parent: str, name: str, besides: str = "") -> bool:
    same = (one for one in _children(connection, parent) if one["name"].casefold() == name.casefold())
    return any(one["id"] != besides for one in same)


def _children(connection: Connection, parent: str) -> list[dict[str, Any]]:
    below = select(FOLDERS).where(FOLDERS.c.parent_id == parent)
    return [folder_row(row) for row in connection.execute(below).mappings()]


def _subtree(connection: Connection, folder_id: str) -> set[str]:
    found, line = {folder_id}, [folder_id]
    while line:
        new = {one["id"] for one in _children(connection, line.pop())} - found - set(SYSTEM)
        found |= new
        line += new
    return found


def _update(connection: Connection, folder_id: str, **values: Any) -> None:
    change = update(FOLDERS).where(FOLDERS.c.id == folder_id)
    connection.execute(change.values(**values, updated_at=int(time.time())))
