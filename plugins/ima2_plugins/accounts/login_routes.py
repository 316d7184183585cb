"""``/api/auth/switch``: sign in to another account, and ask how far that is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.accounts.changes import tell_change
from ima2_plugins.accounts.directory import Account, login_accounts
from ima2_plugins.accounts.logins import Login, Logins

_PENDING = {"status": "pending"}
_BEGUN = {"sessionId": "0f…", "userCode": "ABCD-1234", "verificationUrl": "https://…", "expiresIn": 900}
LONGEST_PASTE = 8000


def login_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes over what the providers declare."""
    routes = APIRouter()

    @routes.get("/api/auth/accounts", summary="Accounts that one signs in to", responses=_examples({"accounts": []}))
    async def known() -> web.Json:
        """Each by its name, with the ways to sign in. Asks nobody."""
        return web.Json({"accounts": [_row(one) for one in login_accounts(ctx).values()]})

    @routes.post("/api/auth/logout", summary="Sign out", responses=_examples({"ok": True, "removed": True}))
    async def forget(request: Request) -> web.Json:
        """Forgets the login of ``provider`` that is stored on this machine; ``removed`` says whether there was one."""
        account = _account(ctx, (await web.read_json(request)).get("provider"))
        removed = await account.provider.logout(account.credential.name)
        tell_change(ctx, account.alias)
        return web.Json({"ok": True, "provider": account.alias, "removed": removed})

    @routes.post("/api/auth/switch", summary="Sign in", responses=_examples(_BEGUN))
    async def begin(request: Request) -> web.Json:
        """Begins a login of ``provider`` by ``method`` (a code to enter where there is such a way) and says what to do.
        The login that is stored now stays until the new one is whole."""
        body = await web.read_json(request)
        account, method = _account(ctx, body.get("provider")), body.get("method", "")
        try:
            login, step = await _logins(ctx).begin(account, method if isinstance(method, str) else "?")
        except ima2.Ima2Error as error:
            if error.status in (400, 409, 429):
                raise
            raise ima2.Ima2Error(error.code, 502, error.text) from None
        answer = {
            "sessionId": login.id,
            "userCode": step.code or "",
            "verificationUrl": step.url or "",
            "step": step.kind,
        }
        return web.Json({**answer, "expiresIn": login.remaining, "method": login.method, "text": step.text})

    @routes.get("/api/auth/switch/{session_id}", summary="How far a login is", responses=_examples(_PENDING))
    async def state(session_id: str) -> web.Json:
        """``pending``, ``complete``, ``expired``, or ``error`` with a sentence. 404 for one that is not known (any
        more)."""
        login = _logins(ctx).find(session_id)
        return web.Json({"status": "expired"}, 404) if login is None else web.Json(_state(login))

    @routes.post("/api/auth/switch/{session_id}", summary="Hand over what a person pasted", include_in_schema=False)
    async def paste(request: Request, session_id: str) -> web.Json:
        """``text`` is what the page of the sign-in service gave, for logins by ``paste``."""
        login = _logins(ctx).find(session_id)
        if login is None:
            return web.Json({"status": "expired"}, 404)
        text = (await web.read_json(request)).get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_PASTE or login.pasted.done():
            raise ima2.Ima2Error("INVALID_BODY", 400, "text is required, once.")
        login.pasted.set_result(text.strip())
        return web.Json(_state(login))

    @routes.delete("/api/auth/switch/{session_id}", summary="Give a login up", include_in_schema=False)
    async def cancel(session_id: str) -> web.Json:
        """Ends a login that nobody is going to finish."""
        login = _logins(ctx).find(session_id)
        if login is not None:
            await _logins(ctx).cancel(login)
        return web.Json({"ok": True, "canceled": login is not None})

    return routes


def _logins(ctx: ima2.PluginContext) -> Logins:
    logins: Logins = ctx.state.logins
    return logins


def _account(ctx: ima2.PluginContext, name: object) -> Account:
    known = login_accounts(ctx)
    if not isinstance(name, str) or name not in known:
        names = " or ".join(known) or "one that is in use, and none of those has a login"
        raise ima2.Ima2Error("INVALID_PROVIDER", 400, f"provider must be {names}.")
    return known[name]


def _row(account: Account) -> dict[str, Any]:
    credential = account.credential
    return {
        "name": account.alias,
        "provider": account.provider.id,
        "title": credential.title,
        "methods": list(credential.methods),
        "hint": credential.hint,
        "problem": account.provider.problem(),
    }


def _state(login: Login) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": login.state}
    if login.state == "error":
        answer["error"] = login.error.text if login.error else "Signing in failed."
    return answer


def _examples(value: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": value}}}}
