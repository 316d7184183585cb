"""``/api/quota`` and ``/api/billing``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

import ima2
from ima2 import web
from ima2_plugins.accounts.quota import Cached, bill, quotas

_WINDOW = {"label": "monthly", "percent": 12, "resetsAt": "2026-07-01T00:00:00.000Z"}
_QUOTA = {"grok": {"provider": "grok", "windows": [_WINDOW], "authenticated": True}}
_BILL = {"oauth": True, "apiKeyValid": False, "apiKeySource": "none"}


def quota_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes, over answers that are kept for a few seconds."""
    routes = APIRouter()
    quota = Cached(lambda: quotas(ctx))

    async def billing_answer() -> dict[str, Any]:
        return await bill(ctx, await quota.get())

    billing = Cached(billing_answer)
    ctx.state.answers = (quota, billing)

    @routes.get("/api/quota", summary="What is left of each plan", responses=_example(_QUOTA))
    async def read_quota() -> web.Json:
        """By account: its windows in percent, whose it is, and money where the plan counts in it. ``error`` says that
        it could not be learnt."""
        return web.Json(await quota.get())

    @routes.get("/api/billing", summary="What the bills say", responses=_example(_BILL))
    async def read_billing() -> web.Json:
        """What the upstreams tell of costs and credits. Fields that they do not tell are missing."""
        return web.Json(await billing.get())

    return routes


def _example(value: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": value}}}}
