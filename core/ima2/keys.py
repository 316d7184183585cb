"""Storage keys: the only names that ever become paths, so what is refused here cannot be reached."""

from __future__ import annotations

import re

MAX_KEY = 240
MAX_DEPTH = 4
_SEGMENT = re.compile(
    r"[A-Za-z0-9_\-.][^\x00-\x1f\x7f\ud800-\udfff/\\:*?\"<>|]*"
    r"|[^\x00-\x20\x7f\ud800-\udfff/\\:*?\"<>|.][^\x00-\x1f\x7f\ud800-\udfff/\\:*?\"<>|]*"
)


def is_key(key: str, *, hidden: bool = False) -> bool:
    """Whether ``key`` names an object: 1 to 4 plain segments of UTF-8, no ``.`` or ``..``, at most 240 characters.

    Segments that begin with a dot are only for the library's own use (``hidden``).
    """
    segments = key.split("/")
    return (
        0 < len(key) <= MAX_KEY
        and len(segments) <= MAX_DEPTH
        and all(_SEGMENT.fullmatch(part) and part.strip(". ") for part in segments)
        and (hidden or not any(part.startswith(".") for part in segments))
        and not any(part.endswith((" ", ".")) for part in segments)
    )


def check(key: str, *, hidden: bool = False) -> str:
    """``key`` itself, or ``ValueError`` when it is none."""
    if not is_key(key, hidden=hidden):
        raise ValueError("not a storage key")
    return key
