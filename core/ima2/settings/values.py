"""Texts of the environment and of config.json, read as numbers of bytes and seconds, as flags and as lists."""

from __future__ import annotations

import json
import re
from typing import Any

_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|tb)?", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w|y)?", re.IGNORECASE)
_FACTORS = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40}
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


def as_bytes(value: Any) -> int:
    """A number of bytes from ``50mb``, ``1kb`` (binary multiples, any case) or a plain number. Else ``ValueError``."""
    number, unit = _measured(_BYTES, value)
    return int(number * _FACTORS[unit or "b"])


def as_seconds(value: Any) -> int:
    """Whole seconds from ``1y``, ``30d``, ``12h``, ``10m``, ``5s``, or from milliseconds; or ``ValueError``."""
    number, unit = _measured(_TIME, value)
    return int(number * _SECONDS[unit or "ms"])


def as_flag(value: Any) -> bool:
    """``1``, ``true`` and ``yes`` in any case are true, everything else is false."""
    return str(value).strip().lower() in {"1", "true", "yes"}


def as_list(text: str) -> list[Any]:
    """A JSON array, or texts separated by commas. A broken array is ``ValueError``."""
    if text.lstrip().startswith("["):
        return list(json.loads(text))
    return [part.strip() for part in text.split(",") if part.strip()]


def is_unset(value: Any) -> bool:
    """Whether a value counts as not given: nothing, or an empty text."""
    return value is None or (isinstance(value, str) and not value.strip())


def _measured(pattern: re.Pattern[str], value: Any) -> tuple[float, str]:
    found = pattern.fullmatch(str(value).strip()) if isinstance(value, (str, int, float)) else None
    if found is None or isinstance(value, bool):
        raise ValueError("not a number with a unit")
    return float(found[1]), (found[2] or "").lower()
