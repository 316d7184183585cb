"""“Sign in with ChatGPT”: the way that OpenAI offers to local open-source programs, for words only.

Token sharing for open source (developers.openai.com/siwc, September 2026): the first sign-in names no client; one is
issued and kept. Access lasts an hour, refresh tokens rotate and are never used before ``earliest_refresh_at``.
Pictures are refused on it, so it stands beside the login that draws, with a file of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import filelock
import orjson

from ima2 import Ima2Error, LoginStep, write_whole
from ima2_plugins.openai.ask import ask
from ima2_plugins.openai.id_token import verified_claims
from ima2_plugins.openai.loopback import Callback, authorization_code, pasted_query
from ima2_plugins.openai.settings import OauthSettings
from ima2_plugins.openai.sign_in import challenge
from ima2_plugins.openai.transport import Auth, Endpoint

if TYPE_CHECKING:
    import httpx

NOTE = "“Sign in with ChatGPT” lets ima2 use your plan for words (planning, prompts, the agent), not for pictures."
_NEW_CLIENT = "dynamic_agent_client"
_SCOPE = "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct"
_SECONDS = 600.0
_CALL_SECONDS = 30.0
_EARLY = 120.0
_GONE = "The login by “Sign in with ChatGPT” is no longer valid. Sign in anew, or remove it."
Login = dict[str, Any]


class WordsLogin(Auth):
    """The login for words of this machine's user; ``folder`` is where it is kept."""

    def __init__(
        self, settings: OauthSettings, http: Callable[[], httpx.AsyncClient], folder: Path, log: logging.Logger
    ) -> None:
        self.settings = settings
        self._http = http
        self._path = folder / "chatgpt-words.json"
        self._log = log
        self._renewal: asyncio.Task[Login] | None = None

    def present(self) -> bool:
        """Whether there is one."""
        return self._path.is_file()

    def forget(self) -> bool:
        """Remove it; whether there was one."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True

    async def endpoint(self, path: str = "responses") -> Endpoint:
        """The public Responses endpoint, as the signed-in person."""
        login = await self._current("")
        return Endpoint(
            f"{self.settings.words_base_url}/{path}", "words", {"authorization": f"Bearer {login['access_token']}"}
        )

    async def renew(self, refused: Endpoint) -> Endpoint | None:
        """Another try with a renewed token."""
        await self._current(refused.headers["authorization"].removeprefix("Bearer "))
        return await self.endpoint()

    # -- signing in -------------------------------------------------------------------------------

    async def sign_in(self) -> AsyncGenerator[LoginStep, str | None]:
        """Open a page, wait for the browser to come back, check who it was, keep the login."""
        known = await asyncio.to_thread(self._read) or {}
        client = str(known.get("client_id") or _NEW_CLIENT)
        host = str(known.get("host_id") or f"urn:uuid:{uuid.uuid4()}")
        verifier, state, nonce = secrets.token_urlsafe(64), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        async with Callback("/callback", (0,), state) as callback:
            redirect = f"http://127.0.0.1:{callback.port}/callback"
            query = {
                "response_type": "code",
                "client_id": client,
                "redirect_uri": redirect,
                "scope": _SCOPE,
                "resource": self.settings.words_base_url,
                "code_challenge": challenge(verifier),
                "code_challenge_method": "S256",
                "state": state,
                "nonce": nonce,
            }
            if client == _NEW_CLIENT:
                query |= {"agent_name_hint": "ima2", "ext_agent_host_id": host}
            url = f"{self.settings.words_auth_url}/authorize?{urlencode(query)}"
            pasted = yield LoginStep("open", NOTE, url=url, expires_in=_SECONDS)
            answer = pasted_query(pasted, state) if pasted else await callback.answer(_SECONDS)
        client = answer.get("client_id") or client
        form = {
            "grant_type": "authorization_code",
            "code": authorization_code(answer),
            "redirect_uri": redirect,
            "client_id": client,
            "code_verifier": verifier,
        }
        granted = await self._token(form)
        claims = await self._checked(granted, client, nonce)
        async with self._locked():
            await self._write({"client_id": client, "host_id": host}, granted)
        email = claims.get("email")
        yield LoginStep("done", "Signed in for words.", account=email if isinstance(email, str) else None)

    async def _checked(self, granted: Mapping[str, Any], client: str, nonce: str) -> dict[str, Any]:
        """The claims of the ID token, checked against the keys that its issuer publishes."""
        parts = urlsplit(self.settings.words_auth_url)
        origin = f"{parts.scheme}://{parts.netloc}"
        about = await self._get(f"{origin}/.well-known/openid-configuration")
        where = str(about.get("jwks_uri", ""))
        if not where.startswith(f"{origin}/"):
            raise _failed("its keys are elsewhere")
        keys = await self._get(where)
        try:
            token, issuer = str(granted.get("id_token", "")), str(about.get("issuer", ""))
            return verified_claims(token, keys, issuer=issuer, audience=client, nonce=nonce)
        except ValueError as error:
            self._log.warning("the ID token is not right: %s", type(error).__name__)
            raise _failed("its ID token is not right") from None

    # -- keeping it alive -------------------------------------------------------------------------

    async def close(self) -> None:
        """Let a running renewal end, so that its answer is not lost."""
        if self._renewal is not None and not self._renewal.done():
            await asyncio.wait([self._renewal], timeout=4)

    async def _current(self, refused: str) -> Login:
        """The login, renewed where its end is near or its token was refused; by one task and process at a time, which
        no cancelled caller stops."""
        login = await asyncio.to_thread(self._read)
        if login is not None and not _due(login, refused):
            return login
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew(refused))
            self._renewal.add_done_callback(_retrieve)
        return await asyncio.shield(self._renewal)

    async def _renew(self, refused: str) -> Login:
        async with self._locked():
            login = await asyncio.to_thread(self._read)
            if login is None:
                raise Ima2Error("OAUTH_UNAVAILABLE", 503, "Nobody is signed in with “Sign in with ChatGPT”.")
            now = time.time()
            if not _due(login, refused) or (now < login["earliest_refresh_at"] and now < login["expires_at"]):
                return login
            if now < login["earliest_refresh_at"]:
                raise Ima2Error("AUTH_CHATGPT_EXPIRED", 401, _GONE)
            old = login["refresh_token"]
            form = {"grant_type": "refresh_token", "refresh_token": old, "client_id": login["client_id"]}
            granted = await self._token(form)
            return await self._write(login, {"refresh_token": old, **granted})

    async def _token(self, form: Mapping[str, str]) -> dict[str, Any]:
        url = f"{self.settings.words_auth_url}/oauth/token"
        reply = await ask(self._http(), "POST", url, _CALL_SECONDS, data=form)
        if reply is None:
            text = "The sign-in service did not answer. Check the network and try again."
            raise Ima2Error("NETWORK_FAILED", 502, text)
        if reply.status in (400, 401):
            raise Ima2Error("AUTH_CHATGPT_EXPIRED", 401, _GONE)
        if not reply.good or not isinstance(reply.value.get("access_token"), str):
            raise _failed(f"it answered {reply.status}")
        return reply.value

    async def _get(self, url: str) -> dict[str, Any]:
        reply = await ask(self._http(), "GET", url, _CALL_SECONDS)
        if reply is None or not reply.good:
            raise _failed("its keys could not be read")
        return reply.value

    # -- the file ---------------------------------------------------------------------------------

    def _read(self) -> Login | None:
        with contextlib.suppress(OSError):
            value = _json(self._path.read_bytes())
            wanted = ("client_id", "access_token", "refresh_token")
            if all(isinstance(value.get(name), str) for name in wanted):
                return {"expires_at": 0, "earliest_refresh_at": 0, **value}
        return None

    async def _write(self, before: Mapping[str, Any], granted: Mapping[str, Any]) -> Login:
        lifetime, early = granted.get("expires_in"), granted.get("earliest_refresh_at")
        login = {
            "client_id": before["client_id"],
            "host_id": before.get("host_id"),
            "access_token": granted["access_token"],
            "refresh_token": granted.get("refresh_token", ""),
            "expires_at": time.time() + (lifetime if isinstance(lifetime, int | float) else 3600),
            "earliest_refresh_at": early if isinstance(early, int | float) else 0,
        }
        await asyncio.to_thread(_store, self._path, login)
        return login

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        lock = filelock.FileLock(self._path.with_suffix(".lock"), thread_local=False, mode=0o600)
        try:
            await asyncio.to_thread(os.makedirs, self._path.parent, 0o700, exist_ok=True)
            await asyncio.to_thread(lock.acquire, timeout=20)
        except (OSError, filelock.Timeout):
            raise Ima2Error("OAUTH_UNAVAILABLE", 503, "The login for words cannot be written just now.") from None
        try:
            yield
        finally:
            await asyncio.to_thread(lock.release)


def _store(path: Path, login: Login) -> None:
    write_whole(path, orjson.dumps(login, option=orjson.OPT_INDENT_2), mode=0o600)


def _due(login: Login, refused: str) -> bool:
    return bool(login["access_token"] == refused or time.time() > login["expires_at"] - _EARLY)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _failed(why: str) -> Ima2Error:
    return Ima2Error("LOGIN_FAILED", 502, f"The sign-in service did not complete the sign-in: {why}.")


def _retrieve(task: asyncio.Task[Login]) -> None:
    if not task.cancelled():
        task.exception()
