"""xAI itself, in the name of the stored login, which is renewed in time and by one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from filelock import AsyncFileLock, Timeout

from ima2 import Ima2Error
from ima2_provider_grok.issuer import Issuer, OAuthError
from ima2_provider_grok.login_file import Login, LoginFile
from ima2_provider_grok.transport import Connection

LOGIN_HINT = "Run `ima2 grok login`; a subscription with API access is needed."
_LOCK_SECONDS = 20.0


def login_required(text: str = "You are not signed in to Grok. Run `ima2 grok login`.") -> Ima2Error:
    """401: there is no login, or it is no longer good."""
    return Ima2Error("GROK_AUTH_FAILED", 401, text)


class Account:
    """The stored login, for all jobs of this process. The file is read each time: a new login counts at once."""

    def __init__(self, file: LoginFile, issuer: Issuer) -> None:
        self.file, self.issuer = file, issuer
        self._renewal: asyncio.Task[Login] | None = None
        self._spent: str | None = None
        """A refresh token that xAI has declined for good; not tried again until the file holds another."""

    async def token(self) -> str:
        """An access token that is good for a while. Raises 401 ``GROK_AUTH_FAILED`` when a person has to sign in."""
        login = await self._read()
        if not login.is_due():
            return login.access_token
        return (await self._renew(login)).access_token

    async def replace_token(self, token: str) -> bool:
        """Hear that xAI did not take ``token``. Says whether there is another one now."""
        try:
            login = await self._read()
            if login.access_token == token:
                login = await self._renew(login)
        except Ima2Error:
            return False
        return login.access_token != token

    async def store(self, login: Login) -> None:
        """Keep a new login in place of the one before it, also when the caller does not wait for that any more."""
        await asyncio.shield(asyncio.create_task(self._store(login)))

    async def _store(self, login: Login) -> None:
        async with self._lock():
            await asyncio.to_thread(self.file.write, login, fresh=True)

    async def _read(self) -> Login:
        login = await asyncio.to_thread(self.file.read)
        if login is None:
            raise login_required()
        return login

    async def _renew(self, stale: Login) -> Login:
        """Trade the refresh token in: once for all who wait, and to the end even when none of them waits any more."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew_once(stale))
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._renewal)

    async def _renew_once(self, stale: Login) -> Login:
        """Renew under the lock that other programs respect, unless one of them just has.

        A refresh token is good once. Who finds that another program has stored a login meanwhile, without the lock,
        leaves that one alone.
        """
        async with self._lock():
            login = await self._read()
            if login.access_token != stale.access_token and not login.is_due():
                return login
            if not login.refresh_token or login.refresh_token == self._spent:
                raise login_required("The Grok login has run out. Run `ima2 grok login`.")
            try:
                renewed = await self.issuer.renew(login)
            except OAuthError:
                return await self._after_refusal(login)
            now = await asyncio.to_thread(self.file.read)
            if now is None:
                raise login_required()
            if now.access_token != login.access_token and not now.is_due():
                return now
            await asyncio.to_thread(self.file.write, renewed)
            return renewed

    async def _after_refusal(self, login: Login) -> Login:
        """A refresh token that is not taken may have been spent by a program that knows no lock: look once more."""
        now = await asyncio.to_thread(self.file.read)
        if now is not None and now.access_token != login.access_token and not now.is_due():
            return now
        self._spent = login.refresh_token
        raise login_required("xAI no longer accepts the Grok login. Run `ima2 grok login`.")

    @asynccontextmanager
    async def _lock(self) -> AsyncIterator[None]:
        """The lock beside the file. 503 when another program keeps it, 401 when the folder cannot be written."""
        try:
            await asyncio.to_thread(self.file.make_folder)
            lock = AsyncFileLock(self.file.lock_path, timeout=_LOCK_SECONDS, mode=0o600)
            await lock.acquire()
        except Timeout:
            text = "Another program is renewing the Grok login and does not finish. Try again."
            raise Ima2Error("GROK_AUTH_FAILED", 503, text) from None
        except OSError:
            text = f"The Grok login in {self.file.path.parent} cannot be renewed: the folder is not writable."
            raise login_required(text) from None
        try:
            yield
        finally:
            await lock.release()


class NativeConnection(Connection):
    """xAI's API with the account's token."""

    login_hint = LOGIN_HINT

    def __init__(self, base_url: str, account: Account) -> None:
        self.base_url, self._account = base_url, account

    async def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {await self._account.token()}"}

    async def replace(self, headers: dict[str, str]) -> bool:
        return await self._account.replace_token(headers.get("authorization", "").removeprefix("Bearer "))
