"""From our names to the wire's: ``created_at`` here is ``createdAt`` in JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"_+([a-z0-9])")


def camel(name: str) -> str:
    """The wire's form of a name; one that has it already stays as it is."""
    return _STEP.sub(lambda match: match[1].upper(), name) if not name.startswith("_") else name


def camel_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with the wire's names. Values stay as they are: what lies deeper has its own names."""
    return {camel(name): value for name, value in values.items()}
