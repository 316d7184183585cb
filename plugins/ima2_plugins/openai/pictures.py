"""Pictures in answers: base64 in any wrapping, taken whole or not at all."""

from __future__ import annotations

import re
from enum import Enum

import pybase64

from ima2 import Picture, media_type_of

_HEAD = re.compile(r"\s*data:[^,]{0,200},", re.IGNORECASE)
_WRAPPING = str.maketrans("-_", "+/", " \t\r\n=")


class Unreadable(Enum):
    """Why something in a picture's place is none."""

    NOTHING = "nothing"
    OTHER = "other"
    INCOMPLETE = "incomplete"


def read_picture(text: object) -> Picture | Unreadable:
    """A picture from base64 text: with or without a ``data:`` head, line breaks and padding, in either alphabet."""
    if not isinstance(text, str) or not text:
        return Unreadable.NOTHING
    head = _HEAD.match(text)
    plain = text[head.end() if head else 0 :].translate(_WRAPPING)
    try:
        data = pybase64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return Unreadable.OTHER
    media_type = media_type_of(data)
    return Picture(data, media_type) if media_type and media_type.startswith("image/") else Unreadable.OTHER
