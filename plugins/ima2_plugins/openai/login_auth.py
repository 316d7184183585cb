"""Who is asked with a ChatGPT login, and as whom: always as ima2."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from ima2 import Ima2Error
from ima2_plugins.openai.auth_file import Tokens
from ima2_plugins.openai.probe import Proxy
from ima2_plugins.openai.session import LoginSession
from ima2_plugins.openai.settings import OauthSettings
from ima2_plugins.openai.transport import Auth, Endpoint

if TYPE_CHECKING:
    import httpx

EXTRA = {"instructions": ""}
"""A field ChatGPT's backend insists on; the instructions themselves are part of the input."""
ORIGINATOR = "ima2"


class LoginAuth(Auth):
    """Lets in whoever has signed in: through a local proxy where one runs, else with the login itself."""

    def __init__(self, settings: OauthSettings, http: Callable[[], httpx.AsyncClient], log: logging.Logger) -> None:
        self._settings = settings
        self._http = http
        self.session = LoginSession(settings, http, log)
        self.proxy = Proxy(settings.proxy_port)

    def configure(self, settings: OauthSettings) -> None:
        """Take new settings; what is known of the proxy stays as long as its port does."""
        if settings.proxy_port != self._settings.proxy_port:
            self.proxy = Proxy(settings.proxy_port)
        self._settings = self.session.settings = settings

    async def by_proxy(self) -> bool:
        """Whether calls go to the proxy: always where one is said to be there, else when it answers."""
        return self._settings.assume_proxy or await self.proxy.answers(self._http())

    async def endpoint(self, path: str = "responses") -> Endpoint:
        """The endpoint in use. Pictures alone are only asked for with the login itself."""
        if path.startswith("images/") and self._settings.assume_proxy:
            text = "The local ChatGPT proxy has no endpoint for pictures alone. Set oauth.imageTransport to auto."
            raise Ima2Error("OAUTH_UNAVAILABLE", 503, text)
        if path == "responses" and await self.by_proxy():
            return Endpoint(f"{self.proxy.base}/v1/responses", "proxy")
        return self._with_login(await self.session.current(), path)

    async def renew(self, refused: Endpoint) -> Endpoint | None:
        """With the login itself: the same once more, with a renewed token."""
        if refused.upstream != "login":
            return None
        token = refused.headers["authorization"].removeprefix("Bearer ")
        path = refused.url.removeprefix(f"{self._settings.chatgpt_base_url}/")
        return self._with_login(await self.session.renew_after(token), path)

    def _with_login(self, tokens: Tokens, path: str) -> Endpoint:
        headers = {
            "authorization": f"Bearer {tokens.access}",
            "chatgpt-account-id": tokens.account_id,
            "originator": ORIGINATOR,
        }
        version = self._settings.client_version
        if version:
            headers["version"] = version
        if tokens.government:
            headers["x-openai-fedramp"] = "true"
        url = f"{self._settings.chatgpt_base_url}/{path}"
        if path.startswith("images/"):
            return Endpoint(url, "login", {**headers, "x-codex-image-turn-id": str(uuid.uuid4())})
        if path == "usage":
            return Endpoint(f"{self._settings.chatgpt_base_url.removesuffix('/codex')}/wham/usage", "login", headers)
        if path == "models":
            return Endpoint(f"{url}?client_version={version}" if version else url, "login", headers)
        return Endpoint(url, "login", {**headers, "openai-beta": "responses=experimental"}, EXTRA)
