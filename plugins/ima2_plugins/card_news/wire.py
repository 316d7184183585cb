"""What all of card news checks and says alike: ids, errors, times."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping

import ima2

FOLDER = "cardnews"
SET_ID = re.compile(r"[A-Za-z0-9_-]{3,120}")
CARD_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid() -> str:
    """26 characters that sort by time: 48 bits of milliseconds and 80 random ones, in Crockford's base 32."""
    number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def error_body(error: ima2.Ima2Error) -> Mapping[str, ima2.Json]:
    """The nested shape of all failures here."""
    code = error.code or "CARD_NEWS_ERROR"
    return {"error": {"code": code, "message": error.text}}


def refusal(code: str, status: int, text: str) -> ima2.Ima2Error:
    """A failure of card news, by the rest of its code."""
    return ima2.Ima2Error(f"CARD_NEWS_{code}", status, text)


def no_set() -> ima2.Ima2Error:
    """404: there is no such set, or that is no id of one."""
    return refusal("SET_NOT_FOUND", 404, "There is no such card news set.")


def checked_set_id(value: object) -> str:
    """The id of a set that is to be written: 400 ``CARD_NEWS_BAD_SET_ID`` for anything that is none."""
    if isinstance(value, str) and SET_ID.fullmatch(value):
        return value
    raise refusal("BAD_SET_ID", 400, "setId may hold 3 to 120 of A-Z, a-z, 0-9, _ and -.")


def alt_text(card: Mapping[str, ima2.Json]) -> str:
    """What a card says, for whoever cannot see it."""
    lines = [str(card.get(name) or "").strip() for name in ("headline", "body")]
    return " ".join(line if line[-1] in ".!?。…" else line + "." for line in lines if line)
