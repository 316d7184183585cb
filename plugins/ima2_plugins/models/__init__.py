"""What the accounts really have: the models that each provider's service lists, asked for and remembered.

``POST /api/providers/refresh`` (``ima2 providers --refresh``) asks now; a running server also looks by itself, once a
day. ``GET /api/providers`` tells what was found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from fastapi import APIRouter
    from pydantic import BaseModel


@ima2.hookimpl
def ima2_settings() -> type[BaseModel]:
    """Whether to look by itself, and how patiently."""
    from ima2_plugins.models.settings import ModelsSettings

    return ModelsSettings


@ima2.hookimpl
def ima2_lifespan(ctx: ima2.PluginContext) -> AbstractAsyncContextManager[None]:
    """What was found before is there from the start; a look in the background follows."""

    @asynccontextmanager
    async def looking() -> AsyncIterator[None]:
        from ima2_plugins.models.look import Lookout

        ctx.state.lookout = lookout = Lookout(ctx)
        lookout.start()
        try:
            yield
        finally:
            await lookout.stop()

    return looking()


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """Asking now."""
    from ima2_plugins.models.routes import router

    return router(ctx)
