"""Reading a client's JSON, field by field, with a code for everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ima2.errors import Ima2Error

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Body:
    """A JSON object from outside. Readers raise 400 with a code and the field's name, never its value."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def get(self, name: str) -> Any:
        """The value as sent, ``None`` when absent."""
        return self._fields.get(name)

    def text(self, name: str, *, limit: int, code: str) -> str | None:
        """A string of printable text (line breaks and tabs allowed) within ``limit`` characters; ``None`` and ``""``
        are absent."""
        value = self._fields.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise Ima2Error(code, 400, f"{name} must be a string.")
        if len(value) > limit:
            raise Ima2Error(code, 400, f"{name} is longer than {limit} characters.")
        if _CONTROL.search(value) or _SURROGATE.search(value):
            raise Ima2Error(code, 400, f"{name} contains control characters.")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean; anything but ``true`` and ``false`` is refused (``INVALID_FLAG``)."""
        value = self._fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise Ima2Error("INVALID_FLAG", 400, f"{name} must be true or false.")
        return value

    def request_id(self, fallback: str) -> str:
        """The job's id: the body's, else the request's. Only ``A-Z a-z 0-9 . _ : -``, at most 128 characters."""
        value = self._fields.get("requestId")
        if value is None or value == "":
            return fallback
        if not isinstance(value, str) or not REQUEST_ID.fullmatch(value):
            raise Ima2Error("INVALID_REQUEST_ID", 400, "requestId may hold letters, digits and . _ : - (128 at most).")
        return value


def integer(value: Any) -> int | None:
    """The whole part of a number or numeric text, ``None`` for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,9}(\.\d+)?\s*", value):
        value = float(value)
    if isinstance(value, int | float) and abs(value) < 1e12:
        return int(value)
    return None
