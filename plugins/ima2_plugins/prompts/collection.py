"""Whole collections: out as one JSON document, and in again, in one transaction and entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

import ima2
from ima2_plugins.prompts import fields, shelf
from ima2_plugins.prompts.folders import add_folder, ensure_system_folders, own_folders
from ima2_plugins.prompts.tables import FOLDERS, PROMPTS, ROOT, TRASH

_PROMPT = ("id", "name", "text", "tags", "folderId", "mode", "isFavorite")


def export(connection: Connection) -> dict[str, Any]:
    """Everything but the trash, in the shape that `take_in` reads."""
    kept = [{name: row[name] for name in _PROMPT} for row in shelf.find(connection, "", "", favorites=False)]
    folders = [{name: one[name] for name in ("id", "name", "parentId")} for one in own_folders(connection)]
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"version": 1, "exportedAt": stamp, "folders": folders, "prompts": kept}


@dataclass(slots=True)
class Intake:
    """What became of an import: counts, and which entries were left out and why."""

    folders: int = 0
    imported: int = 0
    duplicates: int = 0
    skipped: list[dict[str, Any]] = field(default_factory=list)

    def skip(self, kind: str, index: int, reason: str) -> None:
        """Leave an entry out, and say so."""
        self.skipped.append({"kind": kind, "index": index, "reason": reason})

    @property
    def answer(self) -> dict[str, Any]:
        """For clients; ``imported`` is what ima2-gen's command line prints."""
        counts = {"foldersCreated": self.folders, "promptsImported": self.imported}
        return {**counts, "duplicatesSkipped": self.duplicates, "imported": self.imported, "skipped": self.skipped}


def take_in(connection: Connection, given: Mapping[str, Any]) -> Intake:
    """Import ``folders`` and ``prompts``. Folders that are there by name are used, the same text in the same folder is
    a duplicate, an unknown folder is the root; what cannot be used is left out and told."""
    ensure_system_folders(connection)
    intake = Intake()
    known = _folders(connection, _entries(given.get("folders"), "folder", intake), intake)
    add_prompts(connection, _entries(given.get("prompts"), "prompt", intake), known, intake)
    return intake


def add_prompts(
    connection: Connection, entries: Sequence[tuple[int, Mapping[str, Any]]], known: Mapping[str, str], intake: Intake
) -> None:
    """Keep prompts one by one. ``known`` translates folder ids of the import."""
    folders = set(connection.execute(select(FOLDERS.c.id)).scalars())
    ids = set(connection.execute(select(PROMPTS.c.id)).scalars())
    there = {(row.folder_id, row.text) for row in connection.execute(select(PROMPTS.c.folder_id, PROMPTS.c.text))}
    for index, entry in entries:
        folder = str(entry.get("folderId") or ROOT)
        folder = known.get(folder, folder)
        try:
            row = _row(entry, folder if folder in folders and folder != TRASH else ROOT, ids)
        except ima2.Ima2Error as error:
            intake.skip("prompt", index, error.text)
            continue
        if (row["folder_id"], row["text"]) in there:
            intake.duplicates += 1
            continue
        shelf.add(connection, row, favorite=entry.get("isFavorite") is True)
        there.add((row["folder_id"], row["text"]))
        ids.add(row["id"])
        intake.imported += 1


def _row(entry: Mapping[str, Any], folder: str, taken: set[str]) -> dict[str, Any]:
    text = fields.prompt_text(entry.get("text"))
    return {
        "id": _free_id(entry.get("id"), taken),
        "folder_id": folder,
        "name": fields.short_name(entry.get("name"), text),
        "text": text,
        "tags": fields.tag_list(entry.get("tags")) or [],
        "mode": fields.mode(entry.get("mode")),
    }


def _folders(
    connection: Connection, entries: Sequence[tuple[int, Mapping[str, Any]]], intake: Intake
) -> dict[str, str]:
    """Find or make the folders of an import, parents first; ids of the import to ids of the library."""
    rows = connection.execute(select(FOLDERS.c.id, FOLDERS.c.parent_id, FOLDERS.c.name)).all()
    names = {(row.parent_id, row.name.casefold()): row.id for row in rows}
    ids, known = {row.id for row in rows}, dict[str, str]()
    for index, entry in _parents_first(entries):
        parent = str(entry.get("parentId") or ROOT)
        parent = known.get(parent, parent if parent in ids and parent != TRASH else ROOT)
        try:
            name = fields.folder_name(entry.get("name"))
        except ima2.Ima2Error as error:
            intake.skip("folder", index, error.text)
            continue
        found = names.get((parent, name.casefold()))
        if found is None:
            found = add_folder(connection, _free_id(entry.get("id"), ids), parent, name)["id"]
            names[(parent, name.casefold())] = found
            ids.add(found)
            intake.folders += 1
        if isinstance(entry.get("id"), str):
            known[entry["id"]] = found
    return known


def _parents_first(entries: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Entries in an order in which each follows its parent; circles come last, as they are."""
    waiting = {str(entry.get("id")): 0 for _, entry in entries}
    left = list(entries)
    while left:
        ready = [one for one in left if str(one[1].get("parentId")) not in waiting] or left[:1]
        for one in ready:
            waiting.pop(str(one[1].get("id")), None)
            left.remove(one)
        yield from ready


def _entries(value: Any, kind: str, intake: Intake) -> list[tuple[int, Mapping[str, Any]]]:
    found: list[tuple[int, Mapping[str, Any]]] = []
    for index, entry in enumerate(value if isinstance(value, list) else []):
        if isinstance(entry, dict):
            found.append((index, entry))
        else:
            intake.skip(kind, index, "it is no object")
    return found


def _free_id(value: Any, taken: set[str]) -> str:
    fits = isinstance(value, str) and 0 < len(value) <= 128 and value.isprintable() and "/" not in value
    return value if fits and value not in taken else fields.new_id()
