"""Provider ``api``: the OpenAI API with a key of one's own."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ima2 import Ima2Error, Json, ProviderStatus
from ima2_plugins.openai.capabilities import capabilities
from ima2_plugins.openai.exchange import Address, Door
from ima2_plugins.openai.probe import models
from ima2_plugins.openai.provider import ResponsesProvider
from ima2_plugins.openai.settings import ApiSettings

if TYPE_CHECKING:
    import httpx

_PRINTABLE = re.compile(r"[\x21-\x7e]+")


class KeyDoor(Door):
    """Lets in whoever has a key."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings

    async def address(self) -> Address:
        """The Responses endpoint. 401 ``API_KEY_REQUIRED`` without key, ``AUTH_API_KEY_INVALID`` for no real one."""
        return Address(f"{self._settings.base_url}/responses", "key", self.headers())

    def headers(self) -> dict[str, str]:
        """The header that carries the key."""
        problem = self.problem()
        if problem is not None:
            raise problem
        return {"authorization": f"Bearer {self._key()}"}

    def problem(self) -> Ima2Error | None:
        """What is wrong with the key, as far as that can be seen from here."""
        key = self._key()
        if not key:
            text = "Provider api needs an OpenAI API key: set OPENAI_API_KEY, or save a key in the settings."
            return Ima2Error("API_KEY_REQUIRED", 401, text)
        if not _PRINTABLE.fullmatch(key):
            text = "The OpenAI API key holds blanks or characters that no key has. Copy it again."
            return Ima2Error("AUTH_API_KEY_INVALID", 401, text)
        return None

    def _key(self) -> str:
        secret = self._settings.api_key
        return secret.get_secret_value().strip() if secret else ""


class ApiProvider(ResponsesProvider):
    """OpenAI's Responses API, paid per use."""

    id = "api"
    title = "OpenAI API"

    def __init__(
        self,
        settings: ApiSettings,
        http: Callable[[], httpx.AsyncClient],
        log: logging.Logger,
        key_source: str = "none",
    ) -> None:
        self._key_source = key_source
        self._key_door = KeyDoor(settings)
        super().__init__(settings, http, log, self._key_door)
        self._settings = settings
        self._may_search = settings.allow_web_search
        self.capabilities = capabilities(
            model=settings.default_model,
            effort=settings.reasoning_effort,
            size=settings.image_size,
            web_search=settings.allow_web_search,
        )

    def problem(self) -> str | None:
        """A missing or unusable key."""
        problem = self._key_door.problem()
        return problem.text if problem else None

    def about(self) -> Mapping[str, Json]:
        """Whether there is a key, and whether it came from ``env`` or ``config``."""
        present = bool(self._settings.api_key and self._settings.api_key.get_secret_value().strip())
        return {"apiKey": present, "apiKeyDisabled": False, "apiKeySource": self._key_source if present else "none"}

    async def status(self) -> ProviderStatus:
        """Whether the key is accepted, by the list of models, which costs nothing."""
        if problem := self.problem():
            return ProviderStatus("auth_required", reason=problem)
        url, seconds = f"{self._settings.base_url}/models", self._settings.status_timeout_ms / 1000
        return await models(self._http(), url, seconds, self._key_door.headers())
