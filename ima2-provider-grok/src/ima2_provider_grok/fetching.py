"""Collecting a finished picture or clip, which is paid for: a few attempts, then an error with a code."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from ima2 import Ima2Error, MediaError, Picture, decode_media
from ima2_provider_grok import outcomes
from ima2_provider_grok.downloads import DownloadError, Downloads

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp")
INCOMPLETE = "PICTURE_INCOMPLETE"
_ATTEMPTS = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.4, 3.0
LATE_SECONDS = 15.0
"""How long an address may be unknown (403, 404) to the host that is to serve it: it may still be on its way there."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """How one kind of file is collected: its limit in bytes, its codes and its types."""

    what: str
    limit: int
    failed: str
    timeout: str
    types: tuple[str, ...]


IMAGE = Fetch("picture", 50 * 1024 * 1024, "GROK_IMAGE_DOWNLOAD_FAILED", "GROK_IMAGE_TIMEOUT", IMAGE_TYPES)
VIDEO = Fetch("clip", 100 * 1024 * 1024, "GROK_VIDEO_DOWNLOAD_FAILED", "GROK_VIDEO_TIMEOUT", ("video/mp4",))


async def collect(downloads: Downloads, kind: Fetch, url: str, seconds: float, log: logging.Logger) -> Picture:
    """The file at ``url``. What it is, is read from its bytes, whatever its host calls it.

    A GET costs nothing, so a broken or incomplete one is made again, and an address that is not known yet is asked for
    again. Raises `MediaError` ``PICTURE_INCOMPLETE``, with what did arrive, when the file stays incomplete.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _attempts(downloads, kind, url)
    except TimeoutError:
        text = f"The finished {kind.what} could not be downloaded from xAI within {seconds:.0f} seconds."
        raise Ima2Error(kind.timeout, 504, text) from None
    except DownloadError as error:
        log.warning("download of a finished %s failed: %s", kind.what, error)
        raise _failure(kind) from None
    except MediaError as error:
        log.warning("a finished %s is none that can be used: %s, %d bytes", kind.what, error.code, len(error.data))
        raise error if error.code == INCOMPLETE else _failure(kind) from None


async def _attempts(downloads: Downloads, kind: Fetch, url: str) -> Picture:
    """Four attempts where the connection or the host is at fault; as many as fit in where the address is too new."""
    attempt, pause, late_until = 1, _FIRST_PAUSE, time.monotonic() + LATE_SECONDS
    while True:
        try:
            found = await downloads.fetch(url, kind.limit)
            return await asyncio.to_thread(_picture, kind, found.data)
        except DownloadError as error:
            if not (error.transient and attempt < _ATTEMPTS) and not (error.unknown and time.monotonic() < late_until):
                raise
        except MediaError as error:
            if error.code != INCOMPLETE or attempt >= _ATTEMPTS:
                raise
        await asyncio.sleep(pause)
        attempt, pause = attempt + 1, min(pause * 2, _LONGEST_PAUSE)


def _picture(kind: Fetch, value: bytes | str) -> Picture:
    picture = decode_media(value)
    if picture.media_type not in kind.types:
        raise MediaError("PICTURE_INVALID", f"What arrived is no {kind.what}.", picture.data, picture.media_type)
    return picture


def inline(text: str) -> Picture:
    """A picture that came inside the answer: base64, with or without the head of a ``data:`` URL. Blocking."""
    try:
        return _picture(IMAGE, text)
    except MediaError as error:
        raise error if error.code == INCOMPLETE else _failure(IMAGE) from None


def _failure(kind: Fetch) -> Ima2Error:
    text = f"xAI made the {kind.what} and bills it, but what it offered for download could not be used."
    return outcomes.error("download", text, code=kind.failed)
