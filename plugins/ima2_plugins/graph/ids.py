"""Ids of sessions: ``s_`` and a ULID, as ima2-gen makes them."""

from __future__ import annotations

import secrets
import time

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def session_id() -> str:
    """A new one. Ids sort by the millisecond they were made in."""
    return f"s_{ulid(int(time.time() * 1000), secrets.randbits(80))}"


def ulid(moment: int, noise: int) -> str:
    """48 bits of milliseconds and 80 of chance in Crockford's base 32."""
    number = (moment << 80) | noise
    return "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))
