"""Provider ``oauth``: the allowance of a ChatGPT login."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ima2 import Ima2Error, Json, ProviderStatus
from ima2_plugins.openai.capabilities import MODELS, capabilities
from ima2_plugins.openai.exchange import Address, Door
from ima2_plugins.openai.login import MISSING, Login
from ima2_plugins.openai.probe import Proxy, models
from ima2_plugins.openai.provider import ResponsesProvider
from ima2_plugins.openai.settings import OauthSettings
from ima2_plugins.openai.tokens import Tokens

if TYPE_CHECKING:
    import httpx

EXTRA = {"instructions": ""}
"""A field ChatGPT's backend insists on; the instructions themselves are part of the input."""


class LoginDoor(Door):
    """Lets in whoever has signed in: through a local proxy where one runs, else with the login itself."""

    def __init__(self, settings: OauthSettings, http: Callable[[], httpx.AsyncClient], log: logging.Logger) -> None:
        self._settings = settings
        self._http = http
        self.login = Login(settings, http, log)
        self.proxy = Proxy(settings.proxy_port)

    async def by_proxy(self) -> bool:
        """Whether calls go to the proxy: always where one is said to be there, else when it answers."""
        return self._settings.assume_proxy or await self.proxy.answers(self._http())

    async def address(self) -> Address:
        """The Responses endpoint of the lane in use."""
        if await self.by_proxy():
            return Address(f"{self.proxy.base}/v1/responses", "proxy")
        return self._address(await self.login.current())

    async def renewed(self, refused: Address) -> Address | None:
        """With the login itself: the same once more, with a renewed token."""
        if refused.lane != "login":
            return None
        return self._address(await self.login.after_refusal(refused.headers["authorization"].removeprefix("Bearer ")))

    def _address(self, tokens: Tokens) -> Address:
        headers = {
            "authorization": f"Bearer {tokens.access}",
            "chatgpt-account-id": tokens.account_id,
            "openai-beta": "responses=experimental",
            "originator": "ima2",
        }
        return Address(f"{self._settings.chatgpt_base_url}/responses", "login", headers, EXTRA)


class OauthProvider(ResponsesProvider):
    """ChatGPT's own backend, or a proxy in front of it."""

    id = "oauth"
    title = "ChatGPT login"
    is_default = True

    def __init__(self, settings: OauthSettings, http: Callable[[], httpx.AsyncClient], log: logging.Logger) -> None:
        self._login_door = LoginDoor(settings, http, log)
        super().__init__(settings, http, log, self._login_door)
        self._settings = settings
        self.capabilities = capabilities(model=settings.default_model, effort=settings.reasoning_effort)

    async def open(self) -> None:
        """Find a proxy that runs already, so that `problem` does not name a login that nobody needs."""
        if not self._settings.assume_proxy and await self._login_door.proxy.listens():
            await self._login_door.by_proxy()

    async def close(self) -> None:
        """Wait for a renewal that is under way."""
        await self._login_door.login.close()

    def problem(self) -> str | None:
        """A missing login, unless a proxy has one of its own."""
        if self._settings.assume_proxy or self._login_door.proxy.seen:
            return None
        return None if any(path.is_file() for path in self._login_door.login.files()) else MISSING

    def about(self) -> Mapping[str, Json]:
        """That this way in exists, and where a proxy would be."""
        port = self._settings.proxy_port
        return {"oauth": True, "oauthPort": port, "oauthActualPort": port, "oauthUrl": self._login_door.proxy.base}

    def runtime(self) -> Mapping[str, Json]:
        """The address of the proxy, and whether calls can go out one way or the other."""
        port = self._settings.proxy_port
        state = "failed" if self.problem() else "ready"
        return {"configuredPort": port, "actualPort": port, "url": self._login_door.proxy.base, "status": state}

    async def status(self) -> ProviderStatus:
        """The proxy's list of models, or whether the login is valid or can be renewed. Costs nothing."""
        seconds = self._settings.status_timeout_ms / 1000
        if await self._login_door.by_proxy():
            return await models(self._http(), f"{self._login_door.proxy.base}/v1/models", seconds)
        try:
            async with asyncio.timeout(seconds):
                await self._login_door.login.current()
        except TimeoutError:
            return ProviderStatus("starting", reason="The login is being renewed.")
        except Ima2Error as error:
            absent = error.status == 401 or error.text == MISSING
            return ProviderStatus("auth_required" if absent else "offline", reason=error.text)
        return ProviderStatus("ready", MODELS)
