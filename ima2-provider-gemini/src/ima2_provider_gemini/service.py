"""Google's two doors to the same models: the Gemini API with a key, Vertex AI with a service account."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import ima2

from .credentials import ApiKey, ServiceAccount, credential
from .exchange import Reply, exchange
from .failures import refused
from .messages import parsed
from .settings import GeminiSettings
from .tokens import AccessTokens


@dataclass(frozen=True, slots=True)
class Door:
    """Where models are found, and how to be let in."""

    models_url: str
    headers: dict[str, str] = field(repr=False)


class Service:
    """Calls of ``generateContent``, each sent exactly once."""

    def __init__(self, ctx: ima2.PluginContext) -> None:
        self._ctx = ctx
        self._tokens = AccessTokens(ctx.http)

    @property
    def settings(self) -> GeminiSettings:
        """The values of now: a key may be saved while the server runs."""
        settings: GeminiSettings = self._ctx.settings
        return settings

    async def generate(self, model: str, content: bytes, seconds: float) -> dict[str, Any]:
        """Ask Google's model for an answer. Raises `Ima2Error` for everything but a 200 with JSON."""
        door = await self._door(credential(self.settings))
        reply = await self._send("POST", f"{door.models_url}/{model}:generateContent", door, content, seconds)
        return await asyncio.to_thread(parsed, reply.body)

    async def names(self, seconds: float) -> frozenset[str] | None:
        """The models a key may use, by Google's names; ``None`` with a service account: it only signs in."""
        found = credential(self.settings)
        door = await self._door(found)
        if isinstance(found, ServiceAccount):
            return None
        reply = await self._send("GET", f"{door.models_url}?pageSize=1000", door, None, seconds)
        models = (await asyncio.to_thread(parsed, reply.body)).get("models")
        listed = models if isinstance(models, list) else []
        return frozenset(str(one.get("name", "")).removeprefix("models/") for one in listed if isinstance(one, dict))

    async def _send(self, method: str, url: str, door: Door, content: bytes | None, seconds: float) -> Reply:
        reply = await exchange(
            self._ctx.http(), method, url, headers=door.headers, content=content, seconds=max(seconds, 0.001)
        )
        if reply.status == 200:
            return reply
        if reply.status == 401:
            self._tokens.forget(door.headers.get("authorization", "").removeprefix("Bearer "))
        raise refused(reply)

    async def _door(self, found: ApiKey | ServiceAccount) -> Door:
        settings = self.settings
        headers = {"content-type": "application/json"}
        if isinstance(found, ApiKey):
            return Door(f"{settings.base_url}/v1beta/models", {**headers, "x-goog-api-key": found.value})
        token = await self._tokens.token(found, settings.token_url)
        place = f"projects/{found.project}/locations/{settings.vertex_location}"
        url = f"{settings.vertex_base_url}/v1/{place}/publishers/google/models"
        return Door(url, {**headers, "authorization": f"Bearer {token}"})
