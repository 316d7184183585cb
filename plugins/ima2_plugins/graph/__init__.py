"""Graphs: sessions with nodes and edges, pictures that grow from pictures, and the style that a session keeps to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from fastapi import APIRouter

    from ima2_plugins.graph.settings import GraphSettings


@ima2.hookimpl
def ima2_settings() -> type[GraphSettings]:
    """How nodes are named, how large graphs may be, how styles are used."""
    from ima2_plugins.graph.settings import GraphSettings

    return GraphSettings


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    """Sessions, nodes and edges of ima2-gen, and the last versions of each graph."""
    from ima2_plugins.graph.tables import METADATA

    return ima2.Tables(METADATA)


@ima2.hookimpl
def ima2_library_facets() -> list[ima2.Facet]:
    """The field ``sessionTitle`` of the pictures of a session."""
    from ima2_plugins.graph.tables import FACET

    return [FACET]


@ima2.hookimpl
def ima2_policies(ctx: ima2.PluginContext) -> list[ima2.Policy]:
    """The style sheet of a session."""
    from ima2_plugins.graph.style_policy import StylePolicy

    return [StylePolicy(ctx)]


@ima2.hookimpl
def ima2_lifespan(ctx: ima2.PluginContext) -> AbstractAsyncContextManager[None]:
    """How jobs of nodes read to their clients; a session to begin with; nodes hear of pictures that are gone."""

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        from ima2_plugins.graph import missing_pictures, sessions
        from ima2_plugins.graph.node_view import KIND, NodeView

        async def mark(keys: Sequence[str]) -> Mapping[str, int]:
            return await ctx.database.write(lambda connection: missing_pictures.mark(connection, keys))

        ctx.studio.views[KIND] = NodeView
        ctx.library.removal_handlers.append(mark)
        try:
            await ctx.database.write(sessions.ensure_one)
        except ima2.Ima2Error as error:  # a database that is full or locked now may well work later
            ctx.log.warning("no first session could be made: %s", error.code)
        yield
        ctx.library.removal_handlers.remove(mark)

    return registered()


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """Sessions, their graphs and styles, and nodes."""
    from fastapi import APIRouter

    from ima2_plugins.graph.graph_routes import graph_router
    from ima2_plugins.graph.node_routes import node_router
    from ima2_plugins.graph.session_routes import session_router
    from ima2_plugins.graph.style_routes import style_router

    routes = APIRouter()
    for router in (session_router, graph_router, style_router, node_router):
        routes.include_router(router(ctx))
    return routes
