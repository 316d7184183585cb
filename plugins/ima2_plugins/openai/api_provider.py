"""Provider ``api``: the OpenAI API with a key of one's own."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ima2 import Credential, Ima2Error, ImageRequest, Json, Model, Notice, ProviderStatus
from ima2_plugins.openai.billing import read_bill
from ima2_plugins.openai.capabilities import api_capabilities
from ima2_plugins.openai.catalogue import API_MODELS, default_drawing_model, drawing_model
from ima2_plugins.openai.fallbacks import Attempt, Fallbacks
from ima2_plugins.openai.probe import listed_models, probe
from ima2_plugins.openai.provider import ResponsesProvider
from ima2_plugins.openai.settings import ApiSettings
from ima2_plugins.openai.sizes import size_problem
from ima2_plugins.openai.transport import Auth, Endpoint

if TYPE_CHECKING:
    import httpx

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
API_KEY = Credential(
    "api_key",
    "OpenAI API key",
    "key",
    setting="api_key",
    env="OPENAI_API_KEY",
    pattern=r"sk-[\x21-\x7e]{1,509}",
    hint="Made at platform.openai.com under API keys. Pictures are billed to its account by use.",
    alias="openai",
)


class KeyAuth(Auth):
    """Lets in whoever has a key."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings

    async def endpoint(self, path: str = "responses") -> Endpoint:
        """The Responses endpoint. 401 ``API_KEY_REQUIRED`` without key, ``AUTH_API_KEY_INVALID`` for no real one."""
        return Endpoint(f"{self.settings.base_url}/{path}", "key", self.headers())

    def headers(self) -> dict[str, str]:
        """The header that carries the key."""
        problem = self.problem()
        if problem is not None:
            raise problem
        return {"authorization": f"Bearer {self.key()}"}

    def problem(self) -> Ima2Error | None:
        """What is wrong with the key, as far as that can be seen from here."""
        key = self.key()
        if not key:
            text = "Provider api needs an OpenAI API key: set OPENAI_API_KEY, or save a key in the settings."
            return Ima2Error("API_KEY_REQUIRED", 401, text)
        if not _PRINTABLE.fullmatch(key):
            text = "The OpenAI API key holds blanks or characters that no key has. Copy it again."
            return Ima2Error("AUTH_API_KEY_INVALID", 401, text)
        return None

    def key(self) -> str:
        """The key without the blanks around it; empty when there is none."""
        secret = self.settings.api_key
        return secret.get_secret_value().strip() if secret else ""


class ApiProvider(ResponsesProvider):
    """OpenAI's Responses API, paid per use."""

    id = "api"
    title = "OpenAI API"
    priced = True
    credentials = (API_KEY,)

    def __init__(
        self,
        settings: ApiSettings,
        http: Callable[[], httpx.AsyncClient],
        log: logging.Logger,
        key_source: str = "none",
    ) -> None:
        self._key_source = key_source
        self._key_auth = KeyAuth(settings)
        super().__init__(settings, http, log, self._key_auth)
        self._apply(settings)

    def _apply(self, settings: ApiSettings) -> None:
        self._settings = self._shared = self._key_auth.settings = settings
        self._may_search = settings.allow_web_search
        self._drawing = settings.drawing_model or default_drawing_model()
        self.capabilities = api_capabilities(settings, self._drawing)
        self._fallbacks = Fallbacks(API_MODELS)

    async def reconfigure(self, settings: object) -> None:
        """Take new settings, a saved key among them: the next call goes out with it."""
        if not isinstance(settings, ApiSettings):
            return
        before = self._key_auth.key()
        self._apply(settings)
        if self._key_auth.key() != before:
            self._key_source = "config"  # a variable of the environment does not change while a process runs

    def problem(self) -> str | None:
        """A missing or unusable key."""
        problem = self._key_auth.problem()
        return problem.text if problem else None

    def about(self) -> Mapping[str, Json]:
        """Whether there is a key, and whether it came from ``env`` or ``config``."""
        present = bool(self._key_auth.key())
        return {"apiKey": present, "apiKeyDisabled": False, "apiKeySource": self._key_source if present else "none"}

    async def status(self) -> ProviderStatus:
        """Whether the key is accepted, by the list of models, which costs nothing."""
        if problem := self.problem():
            return ProviderStatus("auth_required", reason=problem)
        return await probe(self._http(), self._models_url, self._seconds, self._key_auth.headers())

    async def billing(self) -> Mapping[str, Json]:
        """Whether the key is accepted, and what OpenAI tells of costs and credits, which most keys may not see."""
        if self.problem():
            source = self._key_source if self._key_auth.key() else "none"
            return {"apiKeyValid": False, "apiKeySource": source}
        told = await read_bill(self._http(), self._settings.base_url, self._key_auth.headers())
        return {"apiKeySource": self._key_source, **told}

    async def verify(self, values: Mapping[str, str]) -> ProviderStatus:
        """Whether OpenAI accepts a key, by the list of models."""
        trial = KeyAuth(self._settings.model_copy(update={"api_key": _secret(values.get("api_key", ""))}))
        if problem := trial.problem():
            return ProviderStatus("auth_required", reason=problem.text)
        return await probe(self._http(), self._models_url, self._seconds, trial.headers())

    async def models(self) -> Sequence[Model]:
        """The models of the account that call the drawing tool."""
        if self.problem():
            return ()
        return await listed_models(
            self._http(), self._models_url, self._seconds, self._key_auth.headers(), known=API_MODELS
        )

    def check(self, request: ImageRequest) -> None:
        """The rules of the drawing model: OpenAI would answer 400 to each of these."""
        super().check(request)
        drawing = drawing_model(str(request.options.get("drawingModel")))
        if request.quality not in drawing.qualities:
            text = f"{drawing.id} draws in quality {', '.join(drawing.qualities)}; newer ones take xhigh and max."
            raise Ima2Error("INVALID_QUALITY", 400, text)
        if problem := size_problem(request.size, drawing):
            reason, nearest = problem
            text = f"{request.size} cannot be drawn: {reason}. Nearest sizes: {', '.join(nearest)}."
            raise Ima2Error("INVALID_SIZE", 400, text, details={"nearest": list(nearest)})
        if request.options.get("inputFidelity") != "auto" and not drawing.fidelity:
            text = f"{drawing.id} always looks closely at its input; leave inputFidelity out."
            raise Ima2Error("INVALID_OPTION", 400, text)
        if request.options.get("background") == "transparent" and request.format == "jpeg":
            raise Ima2Error("INVALID_OPTION", 400, "JPEG has no transparency. Use png or webp.")
        compression = request.options.get("compression")
        if compression is not None and request.format == "png":
            raise Ima2Error("INVALID_OPTION", 400, "PNG is not compressed by a number. Use jpeg or webp.")
        if compression is not None and compression not in range(101):
            raise Ima2Error("INVALID_OPTION", 400, "compression must be a whole number from 0 to 100.")

    async def _plan(self, request: ImageRequest) -> Attempt:
        return replace(self._choice(request), drawing=str(request.options.get("drawingModel")))

    def _remarks(self, request: ImageRequest, asked: Attempt) -> list[Notice]:
        if request.options.get("webSearch") and not self._may_search:
            text = "Web search is switched off for this provider in the settings."
            return [Notice("WEB_SEARCH_DISABLED", text)]
        return []

    @property
    def _models_url(self) -> str:
        return f"{self._settings.base_url}/models"

    @property
    def _seconds(self) -> float:
        return self._settings.status_timeout_ms / 1000


def _secret(value: str) -> object:
    from pydantic import SecretStr

    return SecretStr(value)
