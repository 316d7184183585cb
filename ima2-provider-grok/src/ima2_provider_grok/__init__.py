"""Grok Imagine for ima2: the providers ``grok`` (subscription login) and ``grok-api`` (API key).

The front door. It imports nothing that costs: everything else is imported when a hook asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ima2_provider_grok.settings import GrokSettings


@ima2.hookimpl
def ima2_settings() -> type[GrokSettings]:
    """The settings of both providers."""
    from ima2_provider_grok.settings import GrokSettings

    return GrokSettings


@ima2.hookimpl
def ima2_providers(ctx: ima2.PluginContext) -> Sequence[ima2.Provider]:
    """``grok`` and ``grok-api``: one pipeline, two ways in."""
    from ima2_provider_grok.provider import GrokApiProvider, GrokProvider

    return [kind(ctx.settings, ctx.http, ctx.fetch) for kind in (GrokProvider, GrokApiProvider)]


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """The choice of the model that plans."""
    from ima2_provider_grok.planner_routes import planner_router

    return planner_router(ctx)
