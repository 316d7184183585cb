"""Signing in to ChatGPT without the codex program: in a browser of this machine, or by a code on any device.

The shapes are those of openai/codex (``codex-rs/login``). The client id is Codex's public one: that other programs
use it is tolerated, not offered, which is said before anyone signs in (see docs/adr).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ima2 import Ima2Error, LoginStep
from ima2_plugins.openai import auth_file
from ima2_plugins.openai.ask import Reply, ask
from ima2_plugins.openai.login_auth import ORIGINATOR
from ima2_plugins.openai.loopback import Callback, authorization_code, pasted_query
from ima2_plugins.openai.session import LoginSession
from ima2_plugins.openai.settings import OauthSettings

if TYPE_CHECKING:
    import httpx

PORTS = (1455, 1457)
"""The ports the client id is registered with."""
NOTE = "This signs in as OpenAI's Codex does: other programs may do so, but OpenAI does not offer it to them."
_SCOPE = "openid profile email offline_access api.connectors.read api.connectors.invoke"
_BROWSER_SECONDS = 600.0
_DEVICE_SECONDS = 900.0
_CALL_SECONDS = 30.0
Steps = AsyncGenerator[LoginStep, str | None]


class SignIn:
    """Signs in and keeps the login. ``settings`` may change between two sign-ins."""

    def __init__(
        self,
        settings: OauthSettings,
        http: Callable[[], httpx.AsyncClient],
        session: LoginSession,
        log: logging.Logger,
        ports: Sequence[int] = PORTS,
    ) -> None:
        self.settings = settings
        self._http = http
        self._session = session
        self._log = log
        self._ports = ports

    @property
    def _issuer(self) -> str:
        return self.settings.auth_url.removesuffix("/oauth/token")

    async def browser(self) -> Steps:
        """Open a page, wait for the browser to come back; the address it came back to may also be sent."""
        verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
        async with Callback("/auth/callback", self._ports, state) as callback:
            redirect = f"http://localhost:{callback.port}/auth/callback"
            query = {
                "response_type": "code",
                "client_id": self.settings.client_id,
                "redirect_uri": redirect,
                "scope": _SCOPE,
                "code_challenge": challenge(verifier),
                "code_challenge_method": "S256",
                "id_token_add_organizations": "true",
                "codex_cli_simplified_flow": "true",
                "state": state,
                "originator": ORIGINATOR,
            }
            text = f"{NOTE} Sign in to ChatGPT in the browser."
            url = f"{self._issuer}/oauth/authorize?{urlencode(query)}"
            pasted = yield LoginStep("open", text, url=url, expires_in=_BROWSER_SECONDS)
            answer = pasted_query(pasted, state) if pasted else await callback.answer(_BROWSER_SECONDS)
        yield await self._finish(authorization_code(answer), redirect, verifier)

    async def device(self) -> Steps:
        """Show a code to enter on any device, and ask until it was."""
        client = {"client_id": self.settings.client_id}
        reply = await self._post("/api/accounts/deviceauth/usercode", json=client)
        if reply.status == 404:
            text = "Signing in by code is switched off for this account. Sign in in the browser instead."
            raise Ima2Error("DEVICE_LOGIN_DISABLED", 403, text)
        begun = _checked(reply)
        code = str(begun.get("user_code") or begun.get("usercode") or "")
        device = str(begun.get("device_auth_id") or "")
        if not code or not device:
            raise _failed(reply.status)
        text = f"{NOTE} Enter the code on the page, on this or any other device."
        yield LoginStep("code", text, url=f"{self._issuer}/codex/device", code=code, expires_in=_DEVICE_SECONDS)
        granted = await self._poll({"device_auth_id": device, "user_code": code}, _seconds(begun.get("interval")))
        verifier, given = str(granted.get("code_verifier", "")), str(granted.get("authorization_code", ""))
        yield await self._finish(given, f"{self._issuer}/deviceauth/callback", verifier)

    async def _poll(self, body: Mapping[str, str], interval: float) -> dict[str, Any]:
        end = time.monotonic() + _DEVICE_SECONDS
        while time.monotonic() < end:
            await asyncio.sleep(interval)
            try:
                reply = await self._post("/api/accounts/deviceauth/token", json=body)
            except Ima2Error:
                continue  # a network that comes and goes does not end a sign-in
            if reply.status not in (403, 404):
                return _checked(reply)
        raise Ima2Error("LOGIN_EXPIRED", 408, "Nobody entered the code in time. Begin again when you like.")

    async def _finish(self, code: str, redirect: str, verifier: str) -> LoginStep:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "client_id": self.settings.client_id,
            "code_verifier": verifier,
        }
        answer = _checked(await self._post("/oauth/token", data=form))
        await self._session.store(answer)
        identity = auth_file.claims(answer.get("id_token"))
        email = identity.get("email")
        return LoginStep("done", "Signed in to ChatGPT.", account=email if isinstance(email, str) else None)

    async def _post(self, path: str, **content: Any) -> Reply:
        reply = await ask(self._http(), "POST", f"{self._issuer}{path}", _CALL_SECONDS, **content)
        if reply is None:
            text = "The sign-in service did not answer. Check the network and try again."
            raise Ima2Error("NETWORK_FAILED", 502, text)
        return reply


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _checked(reply: Reply) -> dict[str, Any]:
    if not reply.good or not reply.value:
        raise _failed(reply.status)
    return reply.value


def _failed(status: int) -> Ima2Error:
    return Ima2Error("LOGIN_FAILED", 502, f"The sign-in service did not complete the sign-in (it answered {status}).")


def _seconds(value: object) -> float:
    """An interval that comes as a number or a text, within bounds."""
    try:
        return min(max(float(str(value)), 0.05), 60.0)
    except ValueError:
        return 5.0
