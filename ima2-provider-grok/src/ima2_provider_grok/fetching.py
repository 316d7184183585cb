"""Collecting a finished picture or clip, which is paid for: a few attempts, then an error with a code."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ima2 import Fetched, FetchError, FetchLimits, Ima2Error, MediaError, Picture, decode_media
from ima2_provider_grok import outcomes

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp")
FetchFile = Callable[[str, FetchLimits], Awaitable[Fetched]]
INCOMPLETE = "PICTURE_INCOMPLETE"
_ATTEMPTS = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.4, 3.0
LATE_SECONDS = 15.0
"""How long an address may be unknown (403, 404) to the host that is to serve it: it may still be on its way there."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """How one kind of file is collected: its limit in bytes, its codes and its types."""

    what: str
    limit: int
    failed: str
    timeout: str
    types: tuple[str, ...]


IMAGE = FileKind("picture", 50 * 1024 * 1024, "GROK_IMAGE_DOWNLOAD_FAILED", "GROK_IMAGE_TIMEOUT", IMAGE_TYPES)
VIDEO = FileKind("clip", 100 * 1024 * 1024, "GROK_VIDEO_DOWNLOAD_FAILED", "GROK_VIDEO_TIMEOUT", ("video/mp4",))


class Collector:
    """Collects files through the one guarded download. ``own`` is the API's base URL, whose host may serve them."""

    def __init__(self, fetch: FetchFile, own: str, log: logging.Logger) -> None:
        self._fetch, self._own, self._log = fetch, own, log

    async def collect(self, kind: FileKind, url: str, seconds: float) -> Picture:
        """The file at ``url``. What it is, is read from its bytes, whatever its host calls it.

        A GET costs nothing, so a broken or incomplete one is made again, and an address that is not known yet is asked
        for again. Raises `MediaError` ``PICTURE_INCOMPLETE``, with what did arrive, when the file stays incomplete.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._attempts(kind, url, seconds)
        except FetchError as error:
            if error.code != "FETCH_TIMEOUT":
                self._log.warning("download of a finished %s failed: %s %s", kind.what, error.code, error.text)
                raise _failure(kind) from None
        except MediaError as error:
            size = len(error.data)
            self._log.warning("a finished %s is none that can be used: %s, %d bytes", kind.what, error.code, size)
            raise error if error.code == INCOMPLETE else _failure(kind) from None
        except TimeoutError:
            pass
        text = f"The finished {kind.what} could not be downloaded from xAI within {seconds:.0f} seconds."
        raise outcomes.error("download", text, code=kind.timeout, status=504)

    async def _attempts(self, kind: FileKind, url: str, seconds: float) -> Picture:
        """Four attempts where the connection or the host is at fault; as many as fit where the address is too new."""
        limits = FetchLimits(max_bytes=kind.limit, seconds=seconds, trusted=(self._own,))
        attempt, pause, late_until = 1, _FIRST_PAUSE, time.monotonic() + LATE_SECONDS
        while True:
            try:
                found = await self._fetch(url, limits)
                return await asyncio.to_thread(_picture, kind, found.data)
            except FetchError as error:
                is_late = error.http_status in (403, 404) and time.monotonic() < late_until
                if not is_late and not (error.transient and attempt < _ATTEMPTS):
                    raise
            except MediaError as error:
                if error.code != INCOMPLETE or attempt >= _ATTEMPTS:
                    raise
            await asyncio.sleep(pause)
            attempt, pause = attempt + 1, min(pause * 2, _LONGEST_PAUSE)


def _picture(kind: FileKind, value: bytes | str) -> Picture:
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


def _failure(kind: FileKind) -> Ima2Error:
    text = f"xAI made the {kind.what} and bills it, but what it offered for download could not be used."
    return outcomes.error("download", text, code=kind.failed)
