"""Accounts: keys, signing in, and what is left to spend, of every provider that declares its credentials.

Nothing here knows a provider: what each takes is `ima2.Credential`, what can be done with it are `Provider.verify`,
`login`, `logout`, `quota` and `billing`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from fastapi import APIRouter


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """Keys, signing in, quota, billing and settings."""
    from fastapi import APIRouter

    from ima2_plugins.accounts.key_routes import key_router
    from ima2_plugins.accounts.login_routes import login_router
    from ima2_plugins.accounts.quota_routes import quota_router
    from ima2_plugins.accounts.settings_routes import settings_router

    routes = APIRouter(tags=["accounts"])
    for own in (key_router(ctx), login_router(ctx), quota_router(ctx), settings_router(ctx)):
        routes.include_router(own)
    return routes


@ima2.hookimpl
def ima2_lifespan(ctx: ima2.PluginContext) -> AbstractAsyncContextManager[None]:
    """Logins that nobody finished end with the process."""

    @asynccontextmanager
    async def open_logins() -> AsyncIterator[None]:
        from ima2_plugins.accounts.changes import tell_change
        from ima2_plugins.accounts.logins import Logins

        ctx.state.logins = Logins(partial(tell_change, ctx))
        try:
            yield
        finally:
            await ctx.state.logins.close()

    return open_logins()
