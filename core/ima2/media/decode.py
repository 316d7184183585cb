"""What an upstream sent as a picture or clip, however it was wrapped: one reader for every provider."""

from __future__ import annotations

import binascii
from contextlib import suppress
from urllib.parse import unquote

import pybase64

from ima2.errors import Ima2Error
from ima2.media.completeness import is_complete
from ima2.media.sniff import media_type_of
from ima2.models import Picture

_LONGEST_HEAD = 400
_STANDARD = str.maketrans("-_", "+/", "=\ufeff")


class MediaError(Ima2Error):
    """What arrived is no whole picture or clip: 502 ``PICTURE_INCOMPLETE`` or ``PICTURE_INVALID``.

    ``data`` holds the bytes that did arrive, as they were paid for; ``media_type`` says what they begin like, ``None``
    for nothing known.
    """

    def __init__(self, code: str, text: str, data: bytes, media_type: str | None = None) -> None:
        super().__init__(code, 502, text)
        self.data = data
        self.media_type = media_type


def decode_media(value: str | bytes) -> Picture:
    """The picture or clip in ``value``, by its bytes, whatever it was labelled as.

    Takes raw bytes, and base64 (text or bytes) with or without a ``data:`` head, line breaks, padding, in the
    standard or the URL-safe alphabet, percent-encoded or not. Nothing is decoded into pixels. Raises `MediaError`
    ``PICTURE_INCOMPLETE`` for a PNG, JPEG, WebP or MP4 that ends early, ``PICTURE_INVALID`` for anything else.
    """
    data = value if isinstance(value, bytes) and media_type_of(value) else _unwrapped(value)
    media_type = media_type_of(data)
    if media_type is None:
        raise MediaError("PICTURE_INVALID", "What arrived is neither a picture nor a clip of a known type.", data)
    if not is_complete(data, media_type):
        text = f"The file that arrived ({media_type}, {len(data)} bytes) ends before it is complete."
        raise MediaError("PICTURE_INCOMPLETE", text, data, media_type)
    return Picture(data, media_type)


def _unwrapped(value: str | bytes) -> bytes:
    """The bytes that some base64 stands for; text that is none is returned as bytes, for `MediaError.data`."""
    text = value if isinstance(value, str) else value.decode("latin-1")
    words = text.lstrip()
    if words[:5].lower() == "data:":
        words = words[words.find(",", 0, _LONGEST_HEAD) + 1 :]
    with suppress(binascii.Error, ValueError):  # what is plain base64 at once, as most is, takes a tenth of the time
        return pybase64.b64decode(words, validate=True)
    if "%" in words:
        words = unquote(words)
    words = "".join(words.translate(_STANDARD).split())
    if len(words) % 4 == 1:  # a cut in the middle of a letter group: what stands before it is still readable
        words = words[:-1]
    try:
        return pybase64.b64decode(words + "=" * (-len(words) % 4), validate=True)
    except (binascii.Error, ValueError):
        return value if isinstance(value, bytes) else value.encode("utf-8", "replace")
