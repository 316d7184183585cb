"""Collecting a finished picture or clip, which is paid for: a few attempts, then an error with a code."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from dataclasses import dataclass

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from ima2 import Ima2Error, Picture, media_type_of
from ima2_provider_grok.downloads import Downloaded, DownloadError, Downloads

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp")
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Fetch:
    """How one kind of file is collected: its limit in bytes, how long it may take, its codes and types."""

    what: str
    limit: int
    failed: str
    timeout: str
    types: tuple[str, ...]
    claims: tuple[str, ...] = ()
    """What the server may call it, beside nothing at all; empty = anything."""


IMAGE = Fetch("picture", 50 * 1024 * 1024, "GROK_IMAGE_DOWNLOAD_FAILED", "GROK_IMAGE_TIMEOUT", IMAGE_TYPES)
VIDEO = Fetch(
    "clip",
    100 * 1024 * 1024,
    "GROK_VIDEO_DOWNLOAD_FAILED",
    "GROK_VIDEO_TIMEOUT",
    ("video/mp4",),
    ("video/mp4", "application/octet-stream"),
)


async def collect(downloads: Downloads, kind: Fetch, url: str, seconds: float, log: logging.Logger) -> Picture:
    """The file at ``url``. What it is, is read from its bytes. A GET costs nothing, so a broken one is made again."""
    try:
        async with asyncio.timeout(seconds):
            found = await _attempts(downloads, kind, url)
    except TimeoutError:
        text = f"The finished {kind.what} could not be downloaded from xAI within {seconds:.0f} seconds."
        raise Ima2Error(kind.timeout, 504, text) from None
    except DownloadError as error:
        log.warning("download of a finished %s failed: %s", kind.what, error)
        raise _failed(kind) from None
    media_type = media_type_of(found.data)
    if media_type not in kind.types or (kind.claims and found.media_type and found.media_type not in kind.claims):
        log.warning("a finished %s is none: %d bytes", kind.what, len(found.data))
        raise _failed(kind)
    return Picture(found.data, media_type)


async def _attempts(downloads: Downloads, kind: Fetch, url: str) -> Downloaded:
    attempts = AsyncRetrying(
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.3, max=3),
        retry=retry_if_exception(lambda error: isinstance(error, DownloadError) and error.transient),
        reraise=True,
    )
    return await attempts(downloads.fetch, url, kind.limit)


def inline(text: str) -> Picture:
    """A picture that came inside the answer, as base64."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        data = b""
    media_type = media_type_of(data)
    if media_type not in IMAGE_TYPES:
        raise _failed(IMAGE)
    return Picture(data, media_type)


def _failed(kind: Fetch) -> Ima2Error:
    text = f"xAI made the {kind.what}, but what it offered for download could not be used. Try again."
    return Ima2Error(kind.failed, 502, text)
