"""``/api/keys``: what is stored, storing and removing it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.accounts.changes import tell_change
from ima2_plugins.accounts.directory import Account, stored_accounts
from ima2_plugins.accounts.keys import Keys, checked, refusal, shown

LONGEST_BODY = 400_000
_STATUS = {
    "openai": {"configured": True, "source": "env", "valid": True, "maskedKey": "sk-p..3f"},
    "xai": {"configured": False, "source": "none", "valid": False, "maskedKey": None},
}


def key_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes over what the providers declare."""
    routes = APIRouter()

    def account(name: str) -> Account:
        found = stored_accounts(ctx).get(name.lower())
        if found is None:
            raise refusal("INVALID_PROVIDER", "No provider takes a key of that name.")
        return found

    @routes.get("/api/keys/status", summary="Which keys there are, masked", responses=_examples(_STATUS))
    async def status() -> web.Json:
        """Every key and key file that a provider takes, by name. Asks no upstream."""
        return web.Json({name: Keys(ctx, one).status() for name, one in stored_accounts(ctx).items()})

    @routes.put("/api/keys/{name}", summary="Store a key", responses=_examples({"ok": True, "provider": "xai"}))
    async def save(request: Request, name: str) -> web.Json:
        """Takes ``apiKey``, or ``serviceAccountJson`` for a key file; tries it out upstream and stores it in
        config.json. It counts at once. ``unchecked`` stores it although the upstream could not be asked."""
        one = account(name)
        body = await web.read_json(request, LONGEST_BODY)
        value = checked(one, body.get("apiKey" if one.credential.kind == "key" else "serviceAccountJson"))
        await Keys(ctx, one).save(value, unchecked=body.get("unchecked") is True)
        tell_change(ctx, one.alias)
        answer: dict[str, Any] = {"ok": True, "provider": one.alias, "source": "config", "valid": True}
        if one.credential.kind == "file" and (public := shown(one.credential, value)):
            answer[_camel(one.credential.shown)] = public
        return web.Json(answer)

    @routes.delete("/api/keys/{name}", summary="Remove a key", responses=_examples({"ok": True, "removed": True}))
    async def remove(name: str) -> web.Json:
        """Takes it out of config.json; also answers so where there was none."""
        one = account(name)
        await Keys(ctx, one).remove()
        tell_change(ctx, one.alias)
        return web.Json({"ok": True, "provider": one.alias, "removed": True})

    return routes


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _examples(value: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    refused = {"error": "No provider takes a key of that name.", "code": "INVALID_PROVIDER", "ok": False}
    return {
        200: {"content": {"application/json": {"example": value}}},
        400: {"content": {"application/json": {"example": refused}}},
    }
