"""Rows of the two tables as clients read them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import RowMapping


def prompt_row(row: RowMapping) -> dict[str, Any]:
    """A prompt. ``folder_id`` and ``is_favorite`` are what ima2-gen's own command line looks for; ``version`` changes
    with every change, for ``If-Match``."""
    favorite = bool(row["is_favorite"])
    shown = {
        "id": row["id"],
        "folderId": row["folder_id"],
        "name": row["name"],
        "text": row["text"],
        "tags": tags_of(row["tags"]),
        "mode": row["mode"],
        "isFavorite": favorite,
        "favoritedAt": row["favorited_at"] if favorite else None,
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    return {**shown, "folder_id": row["folder_id"], "is_favorite": favorite, "version": version_of(row)}


def version_of(row: RowMapping) -> str:
    """A short name of what a prompt says now, its mark as a favourite aside."""
    said = [row[name] for name in ("folder_id", "name", "text", "tags", "mode", "updated_at")]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()[:16]


def tags_of(stored: str | None) -> list[str]:
    """The tags of a row; none where they cannot be read."""
    try:
        value = json.loads(stored or "[]")
    except (ValueError, RecursionError):
        return []
    return [tag for tag in value if isinstance(tag, str)] if isinstance(value, list) else []


def tags_text(tags: list[str] | None) -> str | None:
    """Tags as they are stored."""
    return None if tags is None else json.dumps(tags, ensure_ascii=False, separators=(",", ":"))


def folder_row(row: RowMapping) -> dict[str, Any]:
    """A folder."""
    return {
        "id": row["id"],
        "parentId": row["parent_id"],
        "name": row["name"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
