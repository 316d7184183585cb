"""Access tokens for a service account (RFC 7523): a signed claim is exchanged for a bearer token.

Source: Google Identity, "Using OAuth 2.0 for server to server applications".
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import ima2

from .credentials import Credential, ServiceAccount, no_credential
from .default_credentials import LIFETIME_SECONDS, SCOPE, TOKEN_URL, Grant
from .transport import Reply, send

if TYPE_CHECKING:
    import httpx

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EARLY_SECONDS = 300
EXCHANGE_SECONDS = 15.0


def assertion(account: ServiceAccount, now: float) -> str:
    """The signed claim, made out to Google's own address also where the exchange is reached by another. Raises 401
    ``GEMINI_API_KEY_MISSING`` when the private key is none."""
    # Imported here and by name: it takes long, is needed for Vertex AI only and has no types.
    crypt, jwt = (import_module(f"google.auth.{name}") for name in ("crypt", "jwt"))
    claims = {
        "iss": account.email,
        "scope": SCOPE,
        "aud": TOKEN_URL,
        "iat": int(now),
        "exp": int(now + LIFETIME_SECONDS),
    }
    try:
        signer: Any = crypt.RSASigner.from_string(account.private_key, account.key_id or None)
        signed: bytes = jwt.encode(signer, claims)
    except (ValueError, TypeError):
        raise no_credential("The private key of the Vertex AI service account cannot be read. Save it again.") from None
    return signed.decode("ascii")


class AccessTokens:
    """The token of the credentials in use: kept until shortly before it ends, asked for once by all who wait."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._owner: Credential | None = None
        self._grant = Grant("", 0.0)
        self._until = 0.0

    async def grant(self, owner: Credential, ask: Callable[[], Awaitable[Grant]]) -> Grant:
        """A token that is good for minutes; ``ask`` gets another. Raises `Ima2Error` when Google refuses."""
        async with self._lock:
            if owner != self._owner or time.monotonic() >= self._until:
                self._grant = await ask()
                self._owner, self._until = owner, time.monotonic() + self._grant.lifetime - EARLY_SECONDS
            return self._grant

    def forget(self, token: str) -> None:
        """Drop a token that was refused, so that the next call asks for another."""
        if token == self._grant.token:
            self._owner, self._grant = None, Grant("", 0.0)


async def account_grant(client: httpx.AsyncClient, account: ServiceAccount, url: str) -> Grant:
    """The token of a service account. Raises `Ima2Error` when Google refuses or cannot be reached."""
    signed = await asyncio.to_thread(assertion, account, time.time())
    reply = await send(
        client,
        "POST",
        url,
        headers={"content-type": "application/x-www-form-urlencoded"},
        content=urlencode({"grant_type": GRANT, "assertion": signed}).encode(),
        seconds=EXCHANGE_SECONDS,
    )
    token, lifetime = _token_in(reply)
    return Grant(token, lifetime, account.project, account.quota_project)


def _token_in(reply: Reply) -> tuple[str, float]:
    """Token and lifetime in seconds out of the answer; anything else is 502 ``GEMINI_API_UPSTREAM_ERROR``."""
    try:
        answer = json.loads(reply.body)
    except ValueError:
        answer = None
    found: dict[str, Any] = answer if isinstance(answer, dict) else {}
    token, lifetime = found.get("access_token"), found.get("expires_in", LIFETIME_SECONDS)
    if reply.status == 200 and isinstance(token, str) and token.isprintable() and isinstance(lifetime, int | float):
        return token, float(lifetime)
    raise ima2.Ima2Error(
        "GEMINI_API_UPSTREAM_ERROR",
        502,
        "Google gave no access token for the Vertex AI service account. Check that its key is still valid"
        " and that this machine's clock is right.",
        upstream_code=found.get("error"),
        upstream_type=f"HTTP_{reply.status}",
    )
