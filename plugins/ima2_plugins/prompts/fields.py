"""What the fields of prompts and folders may be, read from a client's JSON."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

import ima2

TEXT_CHARS, NAME_CHARS, TAG_CHARS, TAGS = 100_000, 500, 200, 100
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_HALF = re.compile(r"[\x00\ud800-\udfff]")


def new_id() -> str:
    """``<milliseconds in base 36>_<6 characters>``, as ima2-gen makes them."""
    number, digits = time.time_ns() // 1_000_000, ""
    while number:
        number, place = divmod(number, 36)
        digits = _DIGITS[place] + digits
    return f"{digits}_{''.join(secrets.choice(_DIGITS) for _ in range(6))}"


def prompt_text(value: Any) -> str:
    """The text of a prompt. 400 ``TEXT_REQUIRED`` or ``TEXT_INVALID``."""
    if not isinstance(value, str) or not value.strip():
        raise ima2.Ima2Error("TEXT_REQUIRED", 400, "text is required")
    return checked(value, "text", TEXT_CHARS)


def checked(value: str, field: str, most: int) -> str:
    """A text that can be stored, of at most ``most`` characters."""
    if len(value) > most:
        raise ima2.Ima2Error(f"{field.upper()}_INVALID", 400, f"{field} is longer than {most} characters")
    if _HALF.search(value):
        raise ima2.Ima2Error(f"{field.upper()}_INVALID", 400, f"{field} holds characters that no text can")
    return value


def short_name(value: Any, text: str) -> str:
    """The name that was given, else the first 30 characters of the text."""
    if isinstance(value, str) and value.strip():
        return checked(value.strip(), "name", NAME_CHARS)
    return text[:30]


def tag_list(value: Any) -> list[str] | None:
    """Tags without blanks around them, each once; ``None`` for what is no list."""
    if not isinstance(value, list):
        return None
    tags = list(dict.fromkeys(one.strip() for one in value if isinstance(one, str) and one.strip()))
    if len(tags) > TAGS:
        raise ima2.Ima2Error("TAGS_INVALID", 400, f"More than {TAGS} tags are too many")
    return [checked(tag, "tags", TAG_CHARS) for tag in tags]


def mode(value: Any) -> str | None:
    """How a prompt wants to be used (``auto``, ``direct``, or a client's own word)."""
    return checked(value, "mode", 40) if isinstance(value, str) and value else None


def prompt_changes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a request changes. 400 ``NOTHING_TO_CHANGE``; fields of the wrong type are no change."""
    changes: dict[str, Any] = {}
    if isinstance(fields.get("name"), str) and fields["name"].strip():
        changes["name"] = checked(fields["name"].strip(), "name", NAME_CHARS)
    if isinstance(fields.get("text"), str):
        changes["text"] = prompt_text(fields["text"])
    if (tags := tag_list(fields.get("tags"))) is not None:
        changes["tags"] = tags
    if isinstance(fields.get("folderId"), str):
        changes["folder_id"] = fields["folderId"]
    if isinstance(fields.get("mode"), str):
        changes["mode"] = mode(fields["mode"])
    return changes or _nothing()


def folder_name(value: Any) -> str:
    """The name of a folder. 400 ``NAME_REQUIRED``."""
    if not isinstance(value, str) or not value.strip():
        raise ima2.Ima2Error("NAME_REQUIRED", 400, "name is required")
    return checked(value.strip(), "name", NAME_CHARS)


def folder_changes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a folder that a request changes. 400 ``NOTHING_TO_CHANGE``."""
    changes = {}
    if "name" in fields:
        changes["name"] = folder_name(fields["name"])
    if isinstance(fields.get("parentId"), str):
        changes["parent_id"] = fields["parentId"]
    return changes or _nothing()


def _nothing() -> dict[str, Any]:
    raise ima2.Ima2Error("NOTHING_TO_CHANGE", 400, "No fields to update")
