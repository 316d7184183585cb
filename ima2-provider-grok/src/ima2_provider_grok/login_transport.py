"""``grok``: a subscription, by whichever way is there: a proxy of the user's, the stored login, a progrok of ours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ima2_provider_grok import plain_json, progrok
from ima2_provider_grok.issuer import Issuer
from ima2_provider_grok.login_file import LoginFile
from ima2_provider_grok.native import LOGIN_HINT, Account, NativeConnection, login_required
from ima2_provider_grok.progrok import Progrok
from ima2_provider_grok.settings import GrokSettings
from ima2_provider_grok.transport import Connection, Transport

if TYPE_CHECKING:
    import httpx

_HEALTH_SECONDS = 1.0


class ProxyConnection(Connection):
    """A progrok proxy, which adds the authorization itself: no secret is sent."""

    login_hint = LOGIN_HINT

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url


class LoginTransport(Transport):
    """Chooses, in this order: the proxy the user promised, one that answers, the stored login, a proxy of our own."""

    def __init__(self, settings: GrokSettings, http: Callable[[], httpx.AsyncClient]) -> None:
        self._settings, self._http = settings, http
        self.account = self._account(settings)
        self._progrok: Progrok | None = None

    def _account(self, settings: GrokSettings) -> Account:
        return Account(LoginFile(settings.login_file), Issuer(self._http, settings.auth_url))

    async def reconfigure(self, settings: GrokSettings) -> None:
        """Take new settings. A proxy of ours that would be started otherwise now is ended."""
        before, self._settings = self._settings, settings
        if (before.login_file, before.auth_url) != (settings.login_file, settings.auth_url):
            self.account = self._account(settings)
        places = [(one.proxy_host, one.proxy_port, one.no_proxy) for one in (before, settings)]
        if places[0] != places[1]:
            await self.close()

    async def connect(self, *, start: bool = True) -> Connection:
        if self._settings.no_proxy or (self._progrok is None and await self._answers()):
            return ProxyConnection(self._settings.proxy_url)
        if await asyncio.to_thread(self.account.file.read) is not None:
            return self.native()
        if self._progrok is None:
            if not progrok.is_installed() or not start:
                raise login_required()
            self._progrok = Progrok(self._settings, logging.getLogger("ima2.plugins.grok"))
        return ProxyConnection(await self._progrok.ready())

    def native(self) -> NativeConnection:
        """xAI itself, in the name of the stored login (there may be none)."""
        return NativeConnection(self._settings.base_url, self.account)

    def address(self) -> tuple[int, str]:
        """Port and base URL of the proxy: of ours when it runs, else where the user's own is expected."""
        running = self._progrok.address if self._progrok else None
        url = running or self._settings.proxy_url
        return urlsplit(url).port or self._settings.proxy_port, url

    def problem(self) -> str | None:
        ready = self._settings.no_proxy or self._settings.login_file.exists() or progrok.is_installed()
        return None if ready else login_required().text

    async def close(self) -> None:
        running, self._progrok = self._progrok, None
        if running is not None:
            await running.close()

    async def _answers(self) -> bool:
        """Whether a progrok listens where the user's own would."""
        import httpx

        try:
            url = self._settings.proxy_url.removesuffix("/v1") + "/health"
            status, answer = await plain_json.request(self._http, "GET", url, _HEALTH_SECONDS)
        except (httpx.HTTPError, TimeoutError):
            return False
        return status == 200 and isinstance(answer, dict) and answer.get("proxy") == "progrok"
