"""From our names to the wire's: ``created_at`` here is ``createdAt`` in JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"_+([a-z0-9])")
_HUMP = re.compile(r"(?<=[a-z0-9])[A-Z]")


def camel(name: str) -> str:
    """The wire's form of a name; one that has it already stays as it is."""
    return _STEP.sub(lambda match: match[1].upper(), name) if not name.startswith("_") else name


def camel_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with the wire's names. Values stay as they are: what lies deeper has its own names."""
    return {camel(name): value for name, value in values.items()}


def snake(name: str) -> str:
    """Our form of a wire's name; one that has it already stays as it is."""
    return _HUMP.sub(lambda match: "_" + match[0].lower(), name)


def snake_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with our names. Values stay as they are."""
    return {snake(name): value for name, value in values.items()}


REQUEST_ID = camel("request_id")
"""The field that names the job, in every event and error."""
