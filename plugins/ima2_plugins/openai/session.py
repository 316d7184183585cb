"""Keeping a ChatGPT login alive without ever losing it.

Refresh tokens rotate: the answer to a renewal holds the only one that still works. So one renewal runs at a time, in
this process by a shared task that no cancelled job can stop, between processes by a lock file, and its answer is on
disk before anyone uses it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock

from ima2 import Ima2Error
from ima2_plugins.openai import auth_file
from ima2_plugins.openai.ask import ask
from ima2_plugins.openai.auth_file import Tokens
from ima2_plugins.openai.errors import EXPIRED
from ima2_plugins.openai.settings import OauthSettings

if TYPE_CHECKING:
    import httpx

LOCK_SECONDS = 20.0
RENEW_SECONDS = 30.0
PERMANENT = frozenset(
    ["refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated", "invalid_grant", "token_expired"]
)
"""Answers of the token endpoint after which only a new login helps."""

MISSING = "No ChatGPT login was found. Run `codex login`, or sign in with ima2."


class LoginSession:
    """The login of this machine's user, as fresh as it can be."""

    def __init__(self, settings: OauthSettings, http: Callable[[], httpx.AsyncClient], log: logging.Logger) -> None:
        self.settings = settings
        self._http = http
        self._log = log
        self.missing = MISSING
        """What to do about a login that is not there."""
        self._seen: tuple[object, ...] | None = None
        self._tokens: Tokens | None = None
        self._dead: tuple[object, ...] | None = None
        self._renewal: asyncio.Task[Tokens] | None = None

    def files(self) -> list[Path]:
        """Where a login is looked for."""
        return auth_file.login_files(self.settings.codex_home)

    async def current(self) -> Tokens:
        """The login, renewed when its end is near. 503 ``OAUTH_UNAVAILABLE`` without one, 401 when it is dead."""
        found = await self._read()
        return await self._renew(found) if found.due(_now()) else found

    async def renew_after(self, refused: str) -> Tokens:
        """The login to try after a token was refused: the file's if it changed meanwhile, else a renewed one."""
        found = await self._read()
        return found if found.access != refused else await self._renew(found)

    async def store(self, answer: dict[str, Any]) -> Tokens:
        """Keep what a sign-in gave as this user's login: on disk before anyone uses it. ``OAUTH_UNAVAILABLE`` when
        the answer holds no login or it cannot be written."""
        path = self.files()[0]
        fresh = await asyncio.to_thread(auth_file.fresh_login, path, answer, _now())
        if fresh is None:
            raise Ima2Error("OAUTH_UNAVAILABLE", 502, "The sign-in service gave no login of a ChatGPT account.")
        try:
            await asyncio.to_thread(path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
            async with self._locked(path):
                await asyncio.to_thread(auth_file.write, fresh)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Ima2Error("OAUTH_UNAVAILABLE", 507, f"The login could not be stored: {reason}.") from None
        return fresh

    async def forget(self) -> bool:
        """Remove the login that is in use; whether there was one. ``OAUTH_UNAVAILABLE`` when it cannot be removed."""
        path = next((one for one in self.files() if one.is_file()), None)
        if path is None:
            return False
        async with self._locked(path):
            try:
                await asyncio.to_thread(path.unlink, missing_ok=True)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise Ima2Error("OAUTH_UNAVAILABLE", 507, f"The login could not be removed: {reason}.") from None
        return True

    async def close(self) -> None:
        """Let a running renewal end, so that its answer is not lost."""
        if self._renewal is not None and not self._renewal.done():
            await asyncio.wait([self._renewal], timeout=4)

    async def look(self) -> None:
        """See what there is, so that a missing login can be explained."""
        with contextlib.suppress(Ima2Error):
            await self._read()

    async def _read(self) -> Tokens:
        files = self.files()
        seen = await asyncio.to_thread(auth_file.fingerprint, files)
        if seen != self._seen:
            self._tokens = await asyncio.to_thread(auth_file.read, files)
            self._seen = seen
            problem = await asyncio.to_thread(auth_file.problem_of, self.settings.codex_home)
            self.missing = problem or MISSING
        if self._tokens is None:
            raise Ima2Error("OAUTH_UNAVAILABLE", 503, self.missing)
        if self._dead is not None and self._dead == seen:
            raise expired_error()
        return self._tokens

    async def _renew(self, old: Tokens) -> Tokens:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew_locked(old))
            self._renewal.add_done_callback(_retrieve)
        return await asyncio.shield(self._renewal)

    async def _renew_locked(self, old: Tokens) -> Tokens:
        async with self._locked(old.path):
            found = await self._read()
            return found if found.access != old.access else await self._exchange(found)

    @asynccontextmanager
    async def _locked(self, path: Path) -> AsyncIterator[None]:
        """Alone with the file, among the processes of this machine that ask."""
        lock = filelock.FileLock(lock_path(path), thread_local=False, mode=0o600)
        try:
            await asyncio.to_thread(lock.acquire, timeout=LOCK_SECONDS)
        except (OSError, filelock.Timeout):
            text = "The ChatGPT login could not be written: its folder is locked or not writable. Try again."
            raise Ima2Error("OAUTH_UNAVAILABLE", 503, text) from None
        try:
            yield
        finally:
            await asyncio.to_thread(lock.release)

    async def _exchange(self, old: Tokens) -> Tokens:
        if not old.refresh:
            raise expired_error()
        try:
            answer = await self._ask(old.refresh)
        except Ima2Error as error:
            if error.status == 401:
                self._dead = self._seen
            elif old.usable(_now()) and old.due(_now()):
                self._log.warning("the login could not be renewed early (%s); the old token still works", error.code)
                return old
            raise
        fresh = auth_file.merge(old, answer, _now())
        if fresh is None:
            raise _not_renewed()
        try:
            await asyncio.to_thread(auth_file.write, fresh)
        except OSError as error:
            self._log.error(
                "the renewed login could not be written (%s): it lasts until ima2 ends", type(error).__name__
            )
        self._tokens = fresh
        self._seen = await asyncio.to_thread(auth_file.fingerprint, self.files())
        return fresh

    async def _ask(self, refresh: str) -> dict[str, Any]:
        body = {"client_id": self.settings.client_id, "grant_type": "refresh_token", "refresh_token": refresh}
        reply = await ask(self._http(), "POST", self.settings.auth_url, RENEW_SECONDS, json=body)
        if reply is None:
            text = "The ChatGPT login could not be renewed: the sign-in service did not answer. Try again."
            raise Ima2Error("NETWORK_FAILED", 502, text)
        if reply.good and reply.value:
            return reply.value
        if reply.status in (400, 401) and _code(reply.value) in PERMANENT:
            raise expired_error()
        self._log.warning("the sign-in service answered %d", reply.status)
        raise _not_renewed()


def expired_error() -> Ima2Error:
    """401: only signing in again helps."""
    return Ima2Error("AUTH_CHATGPT_EXPIRED", 401, EXPIRED)


def _not_renewed() -> Ima2Error:
    return Ima2Error("OAUTH_UNAVAILABLE", 503, "The sign-in service did not renew the ChatGPT login. Try again later.")


def _code(answer: dict[str, Any]) -> str:
    error = answer.get("error")
    return str(error.get("code") if isinstance(error, dict) else error or answer.get("code"))


def lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.ima2.lock")


def _now() -> datetime:
    return datetime.now(UTC)


def _retrieve(task: asyncio.Task[Tokens]) -> None:
    if not task.cancelled():
        task.exception()
