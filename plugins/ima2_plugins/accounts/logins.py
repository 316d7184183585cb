"""Signing in while a page looks on: each login is a task of its own, asked after by its id.

A second click joins the login that is under way; what nobody finishes ends by itself, and with the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import ima2
from ima2_plugins.accounts.directory import Account

MAX_PENDING = 20
BEGIN_SECONDS = 45.0
LONGEST_SECONDS = 900.0
READABLE_SECONDS = 120.0
"""How long the end of a login can be asked for."""
State = Literal["pending", "complete", "expired", "error"]


@dataclass(slots=True, eq=False)
class Login:
    """One login under way or just over. Times are of ``time.monotonic()``."""

    account: Account
    method: str
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    state: State = "pending"
    error: ima2.Ima2Error | None = None
    first: asyncio.Future[ima2.LoginStep] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    pasted: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    begun: float = field(default_factory=time.monotonic)
    ended: float | None = None
    seconds: float = LONGEST_SECONDS
    task: asyncio.Task[None] | None = None

    @property
    def remaining(self) -> int:
        """Whole seconds that it may still take."""
        return max(0, round(self.begun + self.seconds - time.monotonic()))


class Logins:
    """All logins of this process. ``signed_in`` hears the account's name of each that came to its end."""

    def __init__(self, signed_in: Callable[[str], None]) -> None:
        self._signed_in = signed_in
        self._all: dict[str, Login] = {}

    async def begin(self, account: Account, method: str = "") -> tuple[Login, ima2.LoginStep]:
        """Begin a login, or join the one that waits for the same account, and give what a person is to do.

        Raises 429 ``TOO_MANY_LOGINS``, 400 ``LOGIN_METHOD_UNKNOWN``, and what the provider raised.
        """
        methods = account.credential.methods
        method = method or ("device" if "device" in methods else methods[0])
        if method not in methods:
            raise ima2.Ima2Error("LOGIN_METHOD_UNKNOWN", 400, f"Sign in by one of: {', '.join(methods)}.")
        login = self._waiting(account, method) or self._begin(account, method)
        try:
            async with asyncio.timeout(BEGIN_SECONDS):
                return login, await asyncio.shield(login.first)
        except TimeoutError:
            await self._stop(login)
            raise ima2.Ima2Error("LOGIN_FAILED", 502, "The sign-in service did not answer in time.") from None

    def find(self, id: str) -> Login | None:
        """A login that is under way, or ended a short while ago."""
        self._reap()
        return self._all.get(id)

    async def cancel(self, login: Login) -> None:
        """Give a login up."""
        await self._stop(login)
        self._all.pop(login.id, None)

    async def close(self) -> None:
        """End all that still wait."""
        await asyncio.gather(*(self._stop(login) for login in self._all.values()))

    def _waiting(self, account: Account, method: str) -> Login | None:
        key = (account.alias, method)
        open_ones = (one for one in self._all.values() if (one.account.alias, one.method) == key)
        return next((one for one in open_ones if one.state == "pending" and one.remaining > 60), None)

    def _begin(self, account: Account, method: str) -> Login:
        self._reap()
        if sum(one.state == "pending" for one in self._all.values()) >= MAX_PENDING:
            text = "Too many logins are under way. Finish one, or wait until they end."
            raise ima2.Ima2Error("TOO_MANY_LOGINS", 429, text, retry_after=60)
        login = Login(account, method)
        self._all[login.id] = login
        login.first.add_done_callback(lambda future: future.cancelled() or future.exception())
        login.task = asyncio.create_task(self._run(login))
        return login

    async def _run(self, login: Login) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS) as limit:
                await self._follow(login, limit)
        except TimeoutError:
            login.state = "expired"
        except ima2.Ima2Error as error:
            late = error.status == 408 or error.upstream_code == "expired_token"
            login.state, login.error = "expired" if late else "error", error
        except Exception as error:
            kind = type(error).__name__
            login.state = "error"
            login.error = ima2.Ima2Error("LOGIN_FAILED", 502, f"Signing in failed unexpectedly ({kind}).")
        finally:
            login.ended = time.monotonic()
            if not login.first.done():
                login.first.set_exception(login.error or ima2.Ima2Error("LOGIN_FAILED", 502, "Signing in ended early."))

    async def _follow(self, login: Login, limit: asyncio.Timeout) -> None:
        async with contextlib.aclosing(login.account.provider.login(login.method)) as steps:
            pasted: str | None = None
            with contextlib.suppress(StopAsyncIteration):
                while True:
                    step = await steps.asend(pasted)
                    pasted = None
                    if step.kind == "done":
                        break
                    if step.expires_in is not None:
                        login.seconds = min(step.expires_in, LONGEST_SECONDS)
                        limit.reschedule(asyncio.get_running_loop().time() + login.seconds)
                    if step.kind != "waiting" and not login.first.done():
                        login.first.set_result(step)
                    if step.kind == "paste":
                        pasted = await login.pasted
        login.state = "complete"
        self._signed_in(login.account.alias)

    async def _stop(self, login: Login) -> None:
        if login.task is not None and not login.task.done():
            login.task.cancel()
            await asyncio.wait([login.task], timeout=2)
        if login.state == "pending":
            login.state, login.ended = "expired", time.monotonic()

    def _reap(self) -> None:
        now = time.monotonic()
        for login in list(self._all.values()):
            if login.ended is not None and now - login.ended > READABLE_SECONDS:
                del self._all[login.id]
