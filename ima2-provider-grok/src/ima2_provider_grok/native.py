"""xAI itself, in the name of the stored login, which is renewed in time and by one at a time."""

from __future__ import annotations

import asyncio

from filelock import AsyncFileLock, Timeout

from ima2 import Ima2Error
from ima2_provider_grok.issuer import Issuer, Refused
from ima2_provider_grok.lanes import Connection
from ima2_provider_grok.login_file import Login, LoginFile

LOGIN_HINT = "Run `ima2 grok login`; a subscription with API access is needed."
_LOCK_SECONDS = 20.0


def login_required(text: str = "You are not signed in to Grok. Run `ima2 grok login`.") -> Ima2Error:
    """401: there is no login, or it is no longer good."""
    return Ima2Error("GROK_AUTH_FAILED", 401, text)


class Account:
    """The stored login, for all jobs of this process. The file is read each time: a new login counts at once."""

    def __init__(self, file: LoginFile, issuer: Issuer) -> None:
        self.file, self._issuer = file, issuer
        self._renewal: asyncio.Task[Login] | None = None
        self._declined: str | None = None
        """A refresh token that xAI has declined for good; not tried again until the file holds another."""

    async def token(self) -> str:
        """An access token that is good for a while. Raises 401 ``GROK_AUTH_FAILED`` when a person has to sign in."""
        login = await self._read()
        if not login.is_due():
            return login.access_token
        return (await self._renew(login)).access_token

    async def declined(self, token: str) -> bool:
        """Hear that xAI did not take ``token``. Says whether there is another one now."""
        try:
            login = await self._read()
            if login.access_token == token:
                login = await self._renew(login)
        except Ima2Error:
            return False
        return login.access_token != token

    async def _read(self) -> Login:
        login = await asyncio.to_thread(self.file.read)
        if login is None:
            raise login_required()
        return login

    async def _renew(self, stale: Login) -> Login:
        """Trade the refresh token in: once for all who wait, and to the end even when none of them waits any more."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._locked(stale))
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._renewal)

    async def _locked(self, stale: Login) -> Login:
        """Renew under the lock that other programs respect, unless one of them just has."""
        try:
            async with AsyncFileLock(self.file.lock_path, timeout=_LOCK_SECONDS, mode=0o600):
                return await self._renewed(stale)
        except Timeout:
            text = "Another program is renewing the Grok login and does not finish. Try again."
            raise Ima2Error("GROK_AUTH_FAILED", 503, text) from None
        except OSError:
            text = f"The Grok login in {self.file.path.parent} cannot be renewed: the folder is not writable."
            raise login_required(text) from None

    async def _renewed(self, stale: Login) -> Login:
        login = await self._read()
        if login.access_token != stale.access_token and not login.is_due():
            return login
        if not login.refresh_token or login.refresh_token == self._declined:
            raise login_required("The Grok login has run out. Run `ima2 grok login`.")
        try:
            renewed = await self._issuer.renewed(login)
        except Refused:
            self._declined = login.refresh_token
            raise login_required("xAI no longer accepts the Grok login. Run `ima2 grok login`.") from None
        await asyncio.to_thread(self.file.write, renewed)
        return renewed


class NativeConnection(Connection):
    """xAI's API with the account's token."""

    login_hint = LOGIN_HINT

    def __init__(self, base_url: str, account: Account) -> None:
        self.base_url, self._account = base_url, account

    async def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {await self._account.token()}"}

    async def refused(self, headers: dict[str, str]) -> bool:
        return await self._account.declined(headers.get("authorization", "").removeprefix("Bearer "))
