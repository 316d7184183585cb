"""Node mode: pictures that grow from pictures, each a node of a graph with a name of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from fastapi import APIRouter

    from ima2_plugins.graph.settings import GraphSettings


@ima2.hookimpl
def ima2_settings() -> type[GraphSettings]:
    """How nodes are named."""
    from ima2_plugins.graph.settings import GraphSettings

    return GraphSettings


@ima2.hookimpl
def ima2_lifespan(ctx: ima2.PluginContext) -> AbstractAsyncContextManager[None]:
    """How jobs of nodes read to their clients."""

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        from ima2_plugins.graph.node_view import KIND, NodeView

        ctx.studio.views[KIND] = NodeView
        yield

    return registered()


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """Growing a node, and looking one up."""
    from ima2_plugins.graph.node_routes import node_router

    return node_router(ctx)
