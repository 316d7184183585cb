"""Pictures in answers: whatever they are wrapped in, taken whole or not at all."""

from __future__ import annotations

import pybase64

from ima2 import MediaError, Picture, decode_media


def read_picture(text: object) -> Picture | MediaError | None:
    """A picture from base64 text; `MediaError`, with what did arrive, for one that is none or not whole; ``None`` for
    nothing at all."""
    if not isinstance(text, str) or not text:
        return None
    try:
        picture = decode_media(_plain(text) or text)
    except MediaError as error:
        return error
    if picture.media_type.startswith("image/"):
        return picture
    return MediaError("PICTURE_INVALID", "What arrived is no picture.", picture.data, picture.media_type)


def _plain(text: str) -> bytes | None:
    """The bytes of base64 without any wrapping, which nearly all of it is: a hundred times as fast as taking off
    wrappings that are not there."""
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        return None
