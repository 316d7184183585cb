"""Pictures in answers: whatever they are wrapped in, taken whole or not at all."""

from __future__ import annotations

from ima2 import MediaError, Picture, decode_media


def read_picture(text: object) -> Picture | MediaError | None:
    """A picture from base64 text; `MediaError`, with what did arrive, for one that is none or not whole; ``None`` for
    nothing at all."""
    if not isinstance(text, str) or not text:
        return None
    try:
        picture = decode_media(text)
    except MediaError as error:
        return error
    if picture.media_type.startswith("image/"):
        return picture
    return MediaError("PICTURE_INVALID", "What arrived is no picture.", picture.data, picture.media_type)
