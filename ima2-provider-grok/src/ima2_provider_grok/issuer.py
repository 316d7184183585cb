"""xAI's sign-in service: OpenID discovery, renewal, the code grant with PKCE, and the device grant.

Sources: RFC 6749, 7636, 8628; OpenID Connect Discovery. The client is the public one of xAI's command line tools; it
has no secret.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from ima2 import Ima2Error, Json
from ima2_provider_grok import plain_json
from ima2_provider_grok.login_file import Login

if TYPE_CHECKING:
    import httpx

CLIENT_ID = "b1a00492-073a-47ea-816f-4c329264a828"
SCOPE = "openid profile email offline_access grok-cli:access api:access"
CALLBACK_PORT = 56121
REDIRECT_URI = f"http://127.0.0.1:{CALLBACK_PORT}/callback"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LEAST_INTERVAL = 5.0
"""Seconds between two questions of a device login, and what ``slow_down`` adds (RFC 8628, 3.5)."""
_DISCOVERY_SECONDS, _TOKEN_SECONDS = 10.0, 15.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the issuer takes what."""

    authorization: str
    token: str
    device: str


@dataclass(frozen=True, slots=True)
class Device:
    """A device login under way (RFC 8628): the person enters ``user_code`` at ``url``. Times in seconds."""

    device_code: str = field(repr=False)
    user_code: str
    url: str
    expires_in: float
    interval: float
    token_endpoint: str


@dataclass(frozen=True, slots=True)
class Consent:
    """A browser login under way: the person opens ``url`` and brings back a code. ``verifier`` is PKCE's secret."""

    url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    token_endpoint: str


class OAuthError(Exception):
    """The issuer's ``error`` of RFC 6749, 5.2 (``invalid_grant``, ``authorization_pending``, …)."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Issuer:
    """The sign-in service at ``url``. Answers nothing to hosts that are not xAI's (or the issuer's own)."""

    def __init__(self, http: Callable[[], httpx.AsyncClient], url: str) -> None:
        self._http, self._url = http, url

    def trusts(self, endpoint: str) -> bool:
        """Whether a token may be sent to an endpoint: https on x.ai, or the very origin that is configured."""
        parts, own = urlsplit(endpoint), urlsplit(self._url)
        host = parts.hostname or ""
        if parts.username or parts.password:
            return False
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        return parts.scheme == "https" and parts.port in (None, 443) and (host == "x.ai" or host.endswith(".x.ai"))

    async def endpoints(self) -> Endpoints:
        """What discovery says. An endpoint on a foreign host is refused."""
        found = await self._ask("GET", f"{self._url}/.well-known/openid-configuration", None, _DISCOVERY_SECONDS)
        names = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint")
        values = [str(found.get(name) or "") for name in names]
        if not all(self.trusts(value) for value in values):
            raise Ima2Error(
                "GROK_AUTH_FAILED", 502, "xAI's sign-in named an address that is not xAI's. Nothing was sent there."
            )
        return Endpoints(*values)

    async def renew(self, login: Login) -> Login:
        """A new access token for an account. Raises `OAuthError` when the login is no longer good."""
        endpoint = login.token_endpoint or (await self.endpoints()).token
        if not self.trusts(endpoint):
            text = "The stored Grok login names a token address that is not xAI's. Run `ima2 grok login`."
            raise Ima2Error("GROK_AUTH_FAILED", 401, text)
        form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": login.refresh_token or ""}
        answer = await self._call("POST", endpoint, form, _TOKEN_SECONDS)
        return login_of(answer, endpoint, login)

    async def device(self) -> Device:
        """Begin a device login."""
        endpoints = await self.endpoints()
        form = {"client_id": CLIENT_ID, "scope": SCOPE}
        answer = await self._ask("POST", endpoints.device, form, _TOKEN_SECONDS)
        url = answer.get("verification_uri_complete") or answer.get("verification_uri")
        codes = (answer.get("device_code"), answer.get("user_code"), url)
        if not all(isinstance(code, str) and code for code in codes):
            raise _unreadable()
        expires, interval = _seconds(answer.get("expires_in"), 900), _seconds(answer.get("interval"), 5)
        return Device(str(codes[0]), str(codes[1]), str(url), expires, max(interval, 0.0), endpoints.token)

    async def device_login(self, device: Device, *, least: float | None = None) -> Login:
        """Wait until the person has agreed. Asks every ``interval`` seconds (``least`` at least), slower if told to."""
        least = LEAST_INTERVAL if least is None else least
        pause, until = max(device.interval, least), time.monotonic() + device.expires_in
        form = {"grant_type": DEVICE_GRANT, "client_id": CLIENT_ID, "device_code": device.device_code}
        while time.monotonic() < until:
            await asyncio.sleep(pause)
            try:
                answer = await self._call("POST", device.token_endpoint, form, _DISCOVERY_SECONDS)
                return login_of(answer, device.token_endpoint)
            except OAuthError as error:
                if error.error == "slow_down":
                    pause += least
                elif error.error != "authorization_pending":
                    raise _denied(error.error) from None
            except Ima2Error as error:
                if error.code != "GROK_NETWORK_FAILED":
                    raise
        raise _denied("expired_token")

    async def consent(self) -> Consent:
        """Begin a browser login: where to send the person."""
        endpoints = await self.endpoints()
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return Consent(f"{endpoints.authorization}?{urlencode(query)}", state, verifier, endpoints.token)

    async def exchange_code(self, consent: Consent, code: str) -> Login:
        """The login behind the code a browser login ended with. Raises `Ima2Error` when the issuer declines."""
        form = {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": consent.verifier,
        }
        answer = await self._ask("POST", consent.token_endpoint, form, _TOKEN_SECONDS)
        return login_of(answer, consent.token_endpoint)

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None, seconds: float) -> dict[str, Json]:
        """As `_call`, for where a refusal is the end of it."""
        try:
            return await self._call(method, url, form, seconds)
        except OAuthError as error:
            raise _denied(error.error) from None

    async def _call(self, method: str, url: str, form: Mapping[str, str] | None, seconds: float) -> dict[str, Json]:
        import httpx

        try:
            status, answer = await plain_json.request(self._http, method, url, seconds, form=form)
        except (httpx.HTTPError, TimeoutError):
            text = "xAI's sign-in could not be reached. Check the network and try again."
            raise Ima2Error("GROK_NETWORK_FAILED", 502, text) from None
        if status >= 500 or status == 429:
            text = "xAI's sign-in has a fault of its own or is busy. Try again later."
            raise Ima2Error("GROK_NETWORK_FAILED", 502, text)
        if not isinstance(answer, dict):
            raise _unreadable()
        if not 200 <= status < 300:
            raise OAuthError(str(answer.get("error") or f"http_{status}"))
        return answer


def login_of(answer: Mapping[str, Json], endpoint: str, before: Login | None = None) -> Login:
    """The login of a token answer. What it leaves out is taken over from the login ``before``."""
    access = answer.get("access_token")
    if not isinstance(access, str) or not access:
        raise _unreadable()
    texts = {key: value for key, value in answer.items() if isinstance(value, str) and value}
    id_token = texts.get("id_token") or (before.id_token if before else None)
    expires = _seconds(answer.get("expires_in"), 0)
    return Login(
        access,
        texts.get("refresh_token") or (before.refresh_token if before else None),
        int((time.time() + expires) * 1000) if expires else None,
        endpoint,
        (before.email if before else None) or email_of(id_token),
        id_token,
    )


def email_of(id_token: str | None) -> str | None:
    """The address in an id token. It is only shown, so the signature is not looked at."""
    try:
        claims = json.loads(base64.urlsafe_b64decode((id_token or "").split(".")[1] + "=="))
    except (IndexError, ValueError):
        return None
    email = claims.get("email") if isinstance(claims, dict) else None
    return email if isinstance(email, str) else None


def _seconds(value: Json, default: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return default


def _unreadable() -> Ima2Error:
    return Ima2Error("GROK_AUTH_FAILED", 502, "xAI's sign-in gave an answer that could not be read. Try again later.")


def _denied(error: str) -> Ima2Error:
    sentences = {
        "access_denied": "The login was declined. Run `ima2 grok login` to try again.",
        "expired_token": "The login code ran out before it was used. Run `ima2 grok login` to get a new one.",
    }
    text = sentences.get(error, "xAI did not accept this login. Run `ima2 grok login` to try again.")
    return Ima2Error("GROK_AUTH_FAILED", 401, text, upstream_code=error)
