"""From a picture as an answer holds it to its bytes."""

from __future__ import annotations

import asyncio

import ima2

from .answers import Encoded
from .messages import PICTURES
from .service import Service


class Unreadable(Exception):
    """What stands in a picture's place is none."""


async def read_picture(found: Encoded, service: Service, seconds: float) -> ima2.Picture:
    """The picture.

    Raises `Unreadable` for what is no PNG, JPEG or WebP, 502 ``PICTURE_INCOMPLETE`` for one that ends early, 502
    ``GEMINI_API_PICTURE_ELSEWHERE`` for a file that cannot be fetched: the error names its address, for it was paid.
    """
    wrapped = await _download(found.uri, service, seconds) if found.uri else found.data
    try:
        picture = await asyncio.to_thread(ima2.decode_media, wrapped)
    except ima2.MediaError as error:
        if error.code == "PICTURE_INCOMPLETE":
            raise
        raise Unreadable from None
    if picture.media_type not in PICTURES:
        raise Unreadable
    return picture


async def _download(uri: str, service: Service, seconds: float) -> bytes:
    try:
        data, reason = await service.download(uri, seconds), None
    except ima2.Ima2Error as error:
        data, reason = None, error.code
    if data is None:
        text = "Google keeps the picture as a file that ima2 could not fetch; its address is in the error's details."
        raise ima2.Ima2Error("GEMINI_API_PICTURE_ELSEWHERE", 502, text, upstream_type=reason, details={"fileUri": uri})
    return data
