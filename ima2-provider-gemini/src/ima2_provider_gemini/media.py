"""From a picture as an answer holds it to its bytes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re

import ima2

from .answers import Encoded
from .messages import PICTURES
from .service import Service

_HEAD = re.compile(r"data:[^,]{0,200},")


class Unreadable(Exception):
    """What stands in a picture's place is none."""


async def decoded(found: Encoded, service: Service, seconds: float) -> ima2.Picture:
    """The picture.

    Raises `Unreadable` for what is no PNG, JPEG or WebP, 502 ``GEMINI_API_PICTURE_ELSEWHERE`` for a file that cannot be
    fetched: the error names its address, for it was paid.
    """
    if found.uri:
        data = await _fetched(found.uri, service, seconds)
    else:
        data = await asyncio.to_thread(_unwrapped, found.data)
    media_type = ima2.media_type_of(data)
    if media_type not in PICTURES:
        raise Unreadable
    return ima2.Picture(data, media_type)


async def _fetched(uri: str, service: Service, seconds: float) -> bytes:
    try:
        data, reason = await service.download(uri, seconds), None
    except ima2.Ima2Error as error:
        data, reason = None, error.code
    if data is None:
        text = "Google keeps the picture as a file that ima2 could not fetch; its address is in the error's details."
        raise ima2.Ima2Error("GEMINI_API_PICTURE_ELSEWHERE", 502, text, upstream_type=reason, details={"fileUri": uri})
    return data


def _unwrapped(text: str) -> bytes:
    """Base64 in any wrapping: with a data URL's head, line breaks, URL-safe letters, without padding."""
    letters = re.sub(r"\s+", "", _HEAD.sub("", text, count=1)).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except binascii.Error:
        raise Unreadable from None
