"""A style sheet: how the pictures of a session should look, as a few short entries that any provider understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, update

import ima2
from ima2_plugins.graph.sessions import get_row, missing, now
from ima2_plugins.graph.tables import SESSIONS

TEXTS = ("composition", "mood", "medium", "subject_details")
LISTS = {"palette": 6, "negative": 4}
LONGEST_ENTRY, LONGEST_SHEET = 400, 100_000
LEAD = "Keep this style throughout."
"""How the prompt of a request begins that a style sheet was put in front of."""
_SHOWN = {
    "medium": "Medium",
    "palette": "Palette",
    "composition": "Composition",
    "mood": "Mood",
    "subject_details": "Subject",
    "negative": "Avoid",
}


def sheet_of(fields: Mapping[str, Any]) -> tuple[dict[str, Any] | None, bool | None]:
    """The sheet in a body, or the body that is one, and whether it is to be used (``None``: as before).

    400 ``INVALID_SHEET`` and ``INVALID_ENABLED``, 413 ``SHEET_TOO_LARGE``.
    """
    bare = "styleSheet" not in fields and bool({*TEXTS, *LISTS} & set(fields))
    sheet = {name: value for name, value in fields.items() if name != "enabled"} if bare else fields.get("styleSheet")
    if (not bare and "styleSheet" not in fields) or not isinstance(sheet, dict | None):
        raise ima2.Ima2Error("INVALID_SHEET", 400, "styleSheet must be an object or null.")
    if len(orjson.dumps(sheet).decode()) > LONGEST_SHEET:
        raise ima2.Ima2Error("SHEET_TOO_LARGE", 413, f"A style sheet has at most {LONGEST_SHEET} characters of JSON.")
    enabled = fields.get("enabled")
    return sheet, None if "enabled" not in fields else flag_of(enabled)


def flag_of(value: object) -> bool:
    """Whether a sheet is to be used. 400 ``INVALID_ENABLED``."""
    if not isinstance(value, bool):
        raise ima2.Ima2Error("INVALID_ENABLED", 400, "enabled must be true or false.")
    return value


def tidy(value: Mapping[str, Any]) -> dict[str, Any]:
    """The six entries of what a model wrote, cut to their limits. 422 ``STYLE_SHEET_SHAPE`` if all are empty."""
    sheet: dict[str, Any] = {name: _entry(value.get(name)) for name in TEXTS}
    sheet |= {name: _entries(value.get(name))[:most] for name, most in LISTS.items()}
    if not any(sheet.values()):
        raise ima2.Ima2Error("STYLE_SHEET_SHAPE", 422, "The answer held none of the entries of a style sheet.")
    return sheet


def prefix_of(sheet: Mapping[str, Any], limit: int) -> str:
    """The sheet as words to stand before a prompt, at most ``limit`` characters; empty where nothing is in it."""
    found = {
        title: text
        for name, title in _SHOWN.items()
        if (text := ", ".join(_entries(sheet.get(name))) if name in LISTS else _entry(sheet.get(name)))
    }
    if not found:
        return ""
    entries = [f"{title}: {text.rstrip('.')}." for title, text in found.items()]
    return " ".join((LEAD, *entries))[:limit]


def read(connection: Connection, id: str) -> tuple[dict[str, Any] | None, bool]:
    """The sheet of a session, and whether it is used. One that is no JSON object counts as none."""
    row = get_row(connection, id)
    try:
        sheet = orjson.loads(row.style_sheet or "null")
    except orjson.JSONDecodeError:
        sheet = None
    return sheet if isinstance(sheet, dict) else None, bool(row.style_sheet_enabled)


def write(connection: Connection, id: str, sheet: Mapping[str, Any] | None, enabled: bool | None) -> None:
    """Store a sheet; ``enabled`` of ``None`` leaves that as it is."""
    values: dict[str, Any] = {"style_sheet": None if sheet is None else orjson.dumps(sheet).decode()}
    _change(connection, id, values if enabled is None else {**values, "style_sheet_enabled": int(enabled)})


def switch(connection: Connection, id: str, enabled: bool) -> None:
    """Use the sheet of a session from now on, or no longer."""
    _change(connection, id, {"style_sheet_enabled": int(enabled)})


def _change(connection: Connection, id: str, values: Mapping[str, Any]) -> None:
    change = update(SESSIONS).where(SESSIONS.c.id == id).values(**values, updated_at=now())
    if connection.execute(change).rowcount == 0:
        raise missing()


def _entry(value: object) -> str:
    return " ".join(value.split())[:LONGEST_ENTRY] if isinstance(value, str) else ""


def _entries(value: object) -> list[str]:
    found: Sequence[object] = value if isinstance(value, list) else ()
    return [text for one in found if (text := _entry(one))]
