"""Ids that sort by time: a prefix and a ULID (48 bits of milliseconds, 80 random bits, base 32 after Crockford)."""

from __future__ import annotations

import secrets
import threading
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_lock = threading.Lock()
_last = 0


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def ulid() -> str:
    """A ULID. Those of one process rise strictly, within a millisecond too."""
    global _last
    with _lock:
        fresh = now_ms() << 80 | secrets.randbits(79)
        _last = fresh if fresh > _last else _last + 1
        number = _last
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def new_id(prefix: str) -> str:
    """``<prefix>_<ULID>``: ``as`` sessions, ``at`` turns, ``ai`` images, ``aw`` findings, ``aq`` queue items."""
    return f"{prefix}_{ulid()}"
