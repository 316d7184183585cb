"""Keeping a ChatGPT login alive without ever losing it.

Refresh tokens rotate: the answer to a renewal holds the only one that still works. So one renewal runs at a time, in
this process by a shared task that no cancelled job can stop, between processes by a lock file, and its answer is on
disk before anyone uses it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import orjson

from ima2 import Ima2Error
from ima2_plugins.openai import tokens
from ima2_plugins.openai.settings import OauthSettings
from ima2_plugins.openai.tokens import Tokens

if TYPE_CHECKING:
    import httpx

LOCK_SECONDS = 20.0
RENEW_SECONDS = 30.0
PERMANENT = frozenset(
    ["refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated", "invalid_grant", "token_expired"]
)
"""Answers of the token endpoint after which only a new login helps."""

MISSING = (
    "No ChatGPT login was found. Run `codex login` and try again (if Codex keeps it in the system's keyring, set its "
    "option cli_auth_credentials_store to file first)."
)
EXPIRED = "The ChatGPT login is no longer valid. Run `codex login` to sign in again, then try once more."


class Login:
    """The login of this machine's user, as fresh as it can be."""

    def __init__(self, settings: OauthSettings, http: Callable[[], httpx.AsyncClient], log: logging.Logger) -> None:
        self._settings = settings
        self._http = http
        self._log = log
        self._seen: tuple[object, ...] | None = None
        self._tokens: Tokens | None = None
        self._dead: tuple[object, ...] | None = None
        self._renewal: asyncio.Task[Tokens] | None = None

    def files(self) -> list[Path]:
        """Where a login is looked for."""
        return tokens.login_files(self._settings.codex_home)

    async def current(self) -> Tokens:
        """The login, renewed when its end is near. 503 ``OAUTH_UNAVAILABLE`` without one, 401 when it is dead."""
        found = await self._read()
        return await self._renew(found) if found.due(_now()) else found

    async def after_refusal(self, refused: str) -> Tokens:
        """The login to try after a token was refused: the file's if it changed meanwhile, else a renewed one."""
        found = await self._read()
        return found if found.access != refused else await self._renew(found)

    async def close(self) -> None:
        """Let a running renewal end, so that its answer is not lost."""
        if self._renewal is not None and not self._renewal.done():
            await asyncio.wait([self._renewal], timeout=4)

    async def _read(self) -> Tokens:
        files = self.files()
        seen = await asyncio.to_thread(tokens.fingerprint, files)
        if seen != self._seen:
            self._tokens = await asyncio.to_thread(tokens.read, files)
            self._seen = seen
        if self._tokens is None:
            raise Ima2Error("OAUTH_UNAVAILABLE", 503, MISSING)
        if self._dead is not None and self._dead == seen:
            raise expired()
        return self._tokens

    async def _renew(self, old: Tokens) -> Tokens:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renewed(old))
            self._renewal.add_done_callback(_heard)
        return await asyncio.shield(self._renewal)

    async def _renewed(self, old: Tokens) -> Tokens:
        lock = filelock.FileLock(_lock_path(old.path), thread_local=False, mode=0o600)
        try:
            await asyncio.to_thread(lock.acquire, timeout=LOCK_SECONDS)
        except (OSError, filelock.Timeout):
            text = "The ChatGPT login could not be renewed: its folder is locked or not writable. Try again."
            raise Ima2Error("OAUTH_UNAVAILABLE", 503, text) from None
        try:
            found = await self._read()
            return found if found.access != old.access else await self._exchanged(found)
        finally:
            await asyncio.to_thread(lock.release)

    async def _exchanged(self, old: Tokens) -> Tokens:
        if not old.refresh:
            raise expired()
        try:
            answer = await self._asked(old.refresh)
        except Ima2Error as error:
            if error.status == 401:
                self._dead = self._seen
            elif old.usable(_now()) and old.due(_now()):
                self._log.warning("the login could not be renewed early (%s); the old token still works", error.code)
                return old
            raise
        fresh = tokens.renewed(old, answer, _now())
        if fresh is None:
            raise _unrenewed()
        try:
            await asyncio.to_thread(tokens.write, fresh)
        except OSError as error:
            self._log.error(
                "the renewed login could not be written (%s): it lasts until ima2 ends", type(error).__name__
            )
        self._tokens = fresh
        self._seen = await asyncio.to_thread(tokens.fingerprint, self.files())
        return fresh

    async def _asked(self, refresh: str) -> dict[str, Any]:
        import httpx

        body = {"client_id": self._settings.client_id, "grant_type": "refresh_token", "refresh_token": refresh}
        try:
            response = await self._http().post(self._settings.auth_url, json=body, timeout=RENEW_SECONDS)
        except httpx.HTTPError:
            text = "The ChatGPT login could not be renewed: the sign-in service did not answer. Try again."
            raise Ima2Error("NETWORK_FAILED", 502, text) from None
        try:
            value = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            value = None
        answer = value if isinstance(value, dict) else {}
        if response.is_success and answer:
            return answer
        if response.status_code in (400, 401) and _code(answer) in PERMANENT:
            raise expired()
        self._log.warning("the sign-in service answered %d", response.status_code)
        raise _unrenewed()


def expired() -> Ima2Error:
    """401: only signing in again helps."""
    return Ima2Error("AUTH_CHATGPT_EXPIRED", 401, EXPIRED)


def _unrenewed() -> Ima2Error:
    return Ima2Error("OAUTH_UNAVAILABLE", 503, "The sign-in service did not renew the ChatGPT login. Try again later.")


def _code(answer: dict[str, Any]) -> str:
    error = answer.get("error")
    return str(error.get("code") if isinstance(error, dict) else error or answer.get("code"))


def _lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.ima2.lock")


def _now() -> datetime:
    return datetime.now(UTC)


def _heard(task: asyncio.Task[Tokens]) -> None:
    if not task.cancelled():
        task.exception()
