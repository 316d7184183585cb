"""Calls of Google's models, each sent exactly once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import ima2

from .access import Access, open_access, prefix_of
from .answers import parse_answer
from .credentials import Credential, credential
from .failures import error_of_reply, lane_codes
from .messages import PICTURES
from .settings import GeminiSettings
from .tokens import AccessTokens
from .transport import Reply, send

_MEMORY_SECONDS = 86_400.0
MAX_FILE = 100 * 1024 * 1024
"""Bytes of a file that is fetched, at most."""


class Service:
    """``generateContent`` and the list of models, by the credentials that the settings name now."""

    def __init__(self, ctx: ima2.PluginContext) -> None:
        self._http, self._fetch = ctx.http, ctx.fetch
        self._tokens = AccessTokens()
        self._gone: dict[str, float] = {}
        self.settings: GeminiSettings = ctx.settings
        """The values of now: a key may be saved while the server runs."""

    @property
    def prefix(self) -> str:
        """How error codes of the service that is asked now begin."""
        return prefix_of(credential(self.settings))

    async def generate(
        self, model: str, content: bytes, seconds: float, order: Callable[[], Awaitable[None]] | None = None
    ) -> dict[str, Any]:
        """Ask Google's model for an answer; ``order`` is awaited right before what costs money is sent.

        Raises `Ima2Error` for everything but a 200 with JSON, with the codes of the service that is asked.
        """
        found = credential(self.settings)
        with lane_codes(prefix_of(found)):
            access = await self._open(found)
            if order is not None:
                await order()
            url = f"{access.models_url}/{model}:generateContent"
            reply = await self._send("POST", url, access, content, seconds)
            return await asyncio.to_thread(parse_answer, reply.body)

    async def list_models(self, seconds: float, settings: GeminiSettings | None = None) -> list[dict[str, Any]] | None:
        """Google's list of models for a key; ``None`` at Vertex AI, which has none: there it only signs in."""
        found = credential(settings or self.settings)
        with lane_codes(prefix_of(found)):
            access = await self._open(found, settings)
            if not access.lists_models:
                return None
            reply = await self._send("GET", f"{access.models_url}?pageSize=1000", access, None, seconds)
            models = (await asyncio.to_thread(parse_answer, reply.body)).get("models")
        return [one for one in models if isinstance(one, dict)] if isinstance(models, list) else []

    async def model_names(self, seconds: float, settings: GeminiSettings | None = None) -> frozenset[str] | None:
        """The models by Google's names, ``None`` where there is no list."""
        listed = await self.list_models(seconds, settings)
        return None if listed is None else frozenset(str(one.get("name", "")).removeprefix("models/") for one in listed)

    async def download(self, uri: str, seconds: float) -> bytes | None:
        """A file that Google keeps: with the key where it is one of the Gemini API's, else by the guarded download.

        ``None`` for an address that is no URL, such as one in Cloud Storage.
        """
        if not uri.startswith(f"{self.settings.base_url}/v1beta/files/"):
            limits = ima2.FetchLimits(MAX_FILE, seconds, PICTURES, trusted=(self.settings.base_url,))
            file: ima2.Fetched | None = await self._fetch(uri, limits) if uri.startswith("http") else None
            return file.data if file else None
        found = credential(self.settings)
        with lane_codes(prefix_of(found)):
            access = await self._open(found)
            address = uri if ":download" in uri else f"{uri}:download?alt=media"
            return (await self._send("GET", address, access, None, seconds)).body

    def remember_gone(self, model: str) -> None:
        """Do not ask for a model again for a day: Google does not serve it to these credentials."""
        self._gone[model] = time.monotonic() + _MEMORY_SECONDS

    def is_gone(self, model: str) -> bool:
        """Whether Google said within a day that it does not serve a model."""
        return time.monotonic() < self._gone.get(model, 0.0)

    def reconfigure(self, settings: GeminiSettings) -> None:
        """Use other settings, and forget what held for the old ones."""
        self.settings, self._tokens, self._gone = settings, AccessTokens(), {}

    async def _open(self, found: Credential, settings: GeminiSettings | None = None) -> Access:
        tokens = self._tokens if settings is None else AccessTokens()
        return await open_access(settings or self.settings, found, tokens, self._http)

    async def _send(self, method: str, url: str, access: Access, content: bytes | None, seconds: float) -> Reply:
        client = self._http()
        reply = await send(client, method, url, headers=access.headers, content=content, seconds=max(seconds, 0.001))
        if reply.status == 200:
            return reply
        if reply.status == 401:
            self._tokens.forget(access.token)
        raise error_of_reply(reply)
