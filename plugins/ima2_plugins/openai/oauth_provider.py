"""Provider ``oauth``: the allowance of a ChatGPT login."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ima2 import Credential, Ima2Error, ImageRequest, Json, LoginStep, Model, Notice, ProviderStatus, Quota
from ima2_plugins.openai.body import IMAGES_INPUTS, input_pictures
from ima2_plugins.openai.capabilities import login_capabilities
from ima2_plugins.openai.catalogue import LOGIN_MODELS
from ima2_plugins.openai.fallbacks import Attempt, Fallbacks
from ima2_plugins.openai.login_auth import LoginAuth
from ima2_plugins.openai.probe import listed_models, probe
from ima2_plugins.openai.provider import ResponsesProvider
from ima2_plugins.openai.quota import plan_quota
from ima2_plugins.openai.settings import OauthSettings
from ima2_plugins.openai.sign_in import NOTE, PORTS, SignIn
from ima2_plugins.openai.transport import Auth
from ima2_plugins.openai.words_login import NOTE as WORDS_NOTE
from ima2_plugins.openai.words_login import WordsLogin

if TYPE_CHECKING:
    import httpx


CHATGPT = Credential("chatgpt", "ChatGPT login", "login", methods=("browser", "device"), hint=NOTE, alias="codex")
CODEX = Credential("codex", "Codex", "program", hint="A login made by `codex login` is used, and kept alive, as it is.")
WORDS = Credential(
    "words", "Sign in with ChatGPT, for words", "login", methods=("words",), hint=WORDS_NOTE, alias="chatgpt-words"
)


class OauthProvider(ResponsesProvider):
    """ChatGPT's own backend, or a proxy in front of it."""

    id = "oauth"
    title = "ChatGPT login"
    is_default = True

    credentials = (CHATGPT, CODEX, WORDS)

    def __init__(
        self,
        settings: OauthSettings,
        http: Callable[[], httpx.AsyncClient],
        log: logging.Logger,
        folder: Path | None = None,
        ports: Sequence[int] = PORTS,
    ) -> None:
        self.auth = LoginAuth(settings, http, log)
        self._sign_in = SignIn(settings, http, self.auth.session, log, ports)
        self.words = WordsLogin(settings, http, folder, log) if folder else None
        super().__init__(settings, http, log, self.auth)
        self._apply(settings)

    def _apply(self, settings: OauthSettings) -> None:
        self._settings = self._shared = settings
        self.auth.configure(settings)
        self._sign_in.settings = settings
        if self.words is not None:
            self.words.settings = settings
        self.capabilities = login_capabilities(settings)
        self._fallbacks = Fallbacks(LOGIN_MODELS)

    async def open(self) -> None:
        """Find a proxy that runs already, so that `problem` does not name a login that nobody needs."""
        if not self._settings.assume_proxy and await self.auth.proxy.listens():
            await self.auth.by_proxy()
        await self.auth.session.look()

    async def close(self) -> None:
        """Wait for a renewal that is under way."""
        await self.auth.session.close()
        if self.words is not None:
            await self.words.close()

    async def reconfigure(self, settings: object) -> None:
        """Take new settings: the next call follows them."""
        if isinstance(settings, OauthSettings):
            self._apply(settings)
            await self.auth.session.look()

    def problem(self) -> str | None:
        """A missing login, unless a proxy has one of its own."""
        if self._settings.assume_proxy or self.auth.proxy.seen:
            return None
        session = self.auth.session
        return None if any(path.is_file() for path in session.files()) else session.missing

    def about(self) -> Mapping[str, Json]:
        """That this way in exists, and where a proxy would be."""
        port = self._settings.proxy_port
        return {"oauth": True, "oauthPort": port, "oauthActualPort": port, "oauthUrl": self.auth.proxy.base}

    def runtime(self) -> Mapping[str, Json]:
        """The address of the proxy, and whether calls can go out one way or the other."""
        port = self._settings.proxy_port
        state = "failed" if self.problem() else "ready"
        return {"configuredPort": port, "actualPort": port, "url": self.auth.proxy.base, "status": state}

    async def status(self) -> ProviderStatus:
        """The proxy's list of models, or whether the login is valid or can be renewed. Costs nothing."""
        if await self.auth.by_proxy():
            return await probe(self._http(), f"{self.auth.proxy.base}/v1/models", self._seconds)
        try:
            async with asyncio.timeout(self._seconds):
                await self.auth.session.current()
        except TimeoutError:
            return ProviderStatus("starting", reason="The login is being renewed.")
        except Ima2Error as error:
            absent = error.status == 401 or error.text == self.auth.session.missing
            return ProviderStatus("auth_required" if absent else "offline", reason=error.text)
        return ProviderStatus("ready", tuple(one.id for one in self.capabilities.models if one.supported))

    async def models(self) -> Sequence[Model]:
        """The models that this login, or the proxy's, may use; ChatGPT lists them by a client's version."""
        if await self.auth.by_proxy():
            return await listed_models(
                self._http(), f"{self.auth.proxy.base}/v1/models", self._seconds, known=LOGIN_MODELS
            )
        try:
            endpoint = await self.auth.endpoint("models")
        except Ima2Error:
            return ()
        return await listed_models(self._http(), endpoint.url, self._seconds, endpoint.headers, known=LOGIN_MODELS)

    async def quota(self) -> Quota | None:
        """How much of the plan is used, and whose it is; with a proxy's login nothing is known."""
        if not any(path.is_file() for path in self.auth.session.files()):
            return None if await self.auth.by_proxy() else Quota(authenticated=False)
        try:
            endpoint = await self.auth.endpoint("usage")
        except Ima2Error as error:
            if error.status == 401 or error.text == self.auth.session.missing:
                return Quota(authenticated=False)
            raise
        return await plan_quota(self._http(), endpoint)

    async def billing(self) -> Mapping[str, Json]:
        """That this way in exists; it has no bill, only a quota."""
        return {"oauth": True}

    async def logout(self, name: str = "") -> bool:
        """Forget the ChatGPT login of this machine, Codex's as well: it is the same file. ``words``: only that one."""
        if name == WORDS.name:
            return self.words is not None and await asyncio.to_thread(self.words.forget)
        return await self.auth.session.forget()

    def login(self, method: str = "") -> AsyncGenerator[LoginStep, str | None]:
        """Sign in by ``browser`` (the default) or ``device`` to draw, by ``words`` for words alone."""
        if method in ("", "browser"):
            return self._sign_in.browser()
        if method == "device":
            return self._sign_in.device()
        if method == "words" and self.words is not None:
            return self.words.sign_in()
        raise Ima2Error("LOGIN_METHOD_UNKNOWN", 400, "Sign in by one of: browser, device, words.")

    async def _text_auth(self) -> Auth:
        """The login that is made for words, where there is one; else the one that draws."""
        return self.words if self.words is not None and self.words.present() else self._auth

    # -- which endpoint draws ---------------------------------------------------------------------

    async def _plan(self, request: ImageRequest) -> Attempt:
        asked = self._choice(request)
        chosen = self._settings.image_transport
        if chosen == "images":
            if problem := self._beyond_images(request):
                text = f"ChatGPT's endpoint for pictures alone {problem}; the setting oauth.imageTransport chose it."
                raise Ima2Error("IMAGE_ENDPOINT_UNSUPPORTED", 400, text)
            return replace(asked, endpoint="images")
        fits = chosen == "auto" and not request.options["webSearch"] and not self._beyond_images(request)
        return replace(asked, endpoint="images") if fits and not await self.auth.by_proxy() else asked

    def _remarks(self, request: ImageRequest, asked: Attempt) -> list[Notice]:
        if asked.endpoint == "images" and request.options["webSearch"]:
            text = "ChatGPT's endpoint for pictures alone does not search the web; the setting chose it."
            return [Notice("WEB_SEARCH_SKIPPED", text)]
        return []

    def _images_may_follow(self, request: ImageRequest) -> bool:
        return self._settings.image_transport == "auto" and not self._beyond_images(request)

    @staticmethod
    def _beyond_images(request: ImageRequest) -> str | None:
        """What the endpoint for pictures alone cannot do of a request, if anything."""
        if request.mask is not None:
            return "takes no mask"
        if request.sequence:
            return "draws no series"
        if request.partials:
            return "shows no previews"
        return f"takes {IMAGES_INPUTS} pictures at most" if len(input_pictures(request)) > IMAGES_INPUTS else None

    @property
    def _seconds(self) -> float:
        return self._settings.status_timeout_ms / 1000
