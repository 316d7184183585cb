"""Pictures in an answer: base64 or an address, several of them, each for itself.

Fields: ``images_response`` of openai 3.57.0. A picture behind an address is asked for with the key only on the server
itself; any other address goes through the host's guarded download.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from ima2 import Artifact, Fetched, FetchError, FetchLimits, Ima2Error, Json, MediaError, Picture, decode_media
from ima2_plugins.openai_compatible import failures
from ima2_plugins.openai_compatible.connection import Connection

Fetch = Callable[[str, FetchLimits], Awaitable[Fetched]]
_LARGE = 262_144
_TRIES = 3
_USED = {"size": "size", "quality": "quality", "background": "background", "output_format": "format"}


@dataclass(slots=True)
class Reader:
    """Reads the pictures of one answer. ``seconds`` bounds the download of each."""

    connection: Connection
    fetch: Fetch
    seconds: float

    async def artifact(self, row: Any, index: int, value: dict[str, Any], model: str) -> Artifact:
        """One row of ``data`` as picture ``index``. Raises `Ima2Error`; `MediaError` holds what did arrive."""
        if not isinstance(row, dict):
            raise failures.unreadable(self.connection.title)
        picture = await self._picture(row)
        revised, served = row.get("revised_prompt"), value.get("model")
        return Artifact(
            picture,
            index,
            revised_prompt=revised if isinstance(revised, str) and revised else None,
            model=served if isinstance(served, str) and served not in ("", model) else None,
            used=used(value),
        )

    async def _picture(self, row: dict[str, Any]) -> Picture:
        encoded, url = row.get("b64_json"), row.get("url")
        if isinstance(encoded, str) and encoded:
            found = await _decoded(encoded)
        elif isinstance(url, str) and url[:5].lower() == "data:":
            found = await _decoded(url)
        elif isinstance(url, str) and url:
            found = await _decoded(await self._file(urljoin(f"{self.connection.server.base_url}/", url)))
        else:
            text = f"{self.connection.title} answered without a picture."
            raise Ima2Error("EMPTY_RESPONSE", 422, text, details={"failureKind": "failed", "retry": False})
        if not found.media_type.startswith("image/"):
            raise MediaError("PICTURE_INVALID", "What arrived is no picture.", found.data, found.media_type)
        return found

    async def _file(self, url: str) -> bytes:
        """A picture that was paid for is asked for up to three times: that costs nothing."""
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._download(url)
            except Ima2Error as error:
                passing = error.transient if isinstance(error, FetchError) else error.status >= 500
                if attempt == _TRIES or not passing:
                    raise
                await asyncio.sleep(0.2 * attempt)
        raise AssertionError  # pragma: no cover

    async def _download(self, url: str) -> bytes:
        server = self.connection.server
        if same_server(url, server.base_url):
            return await self.connection.file(url, self.seconds)
        limits = FetchLimits(max_bytes=server.max_answer_mb * 2**20, seconds=self.seconds)
        return (await self.fetch(url, limits)).data


def rows(value: dict[str, Any], title: str) -> list[Any]:
    """The pictures of an answer, at least one. Raises 422 ``EMPTY_RESPONSE``, 502 for what is no answer at all."""
    data = value.get("data")
    if not isinstance(data, list):
        raise failures.unreadable(title)
    if not data:
        text = f"{title} answered without a picture."
        raise Ima2Error("EMPTY_RESPONSE", 422, text, details={"failureKind": "failed", "retry": False})
    return data


def used(value: dict[str, Any]) -> dict[str, Json]:
    """What an answer names as really used."""
    return {name: value[key] for key, name in _USED.items() if isinstance(value.get(key), str) and value[key]}


def same_server(url: str, base: str) -> bool:
    """Whether an address lies on the same scheme, host and port, and names no user."""
    one, other = urlsplit(url), urlsplit(base)
    ports = {"http": 80, "https": 443}
    try:
        pairs = [(part.scheme, part.hostname, part.port or ports.get(part.scheme)) for part in (one, other)]
    except ValueError:
        return False
    return one.username is None and pairs[0] == pairs[1]


async def _decoded(value: str | bytes) -> Picture:
    return await asyncio.to_thread(decode_media, value) if len(value) > _LARGE else decode_media(value)
