"""Agent mode: conversations that draw. What is asked waits in a queue of its own, and each answer can grow from the
picture before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ima2_plugins.agent.settings import AgentSettings


@ima2.hookimpl
def ima2_settings() -> type[AgentSettings]:
    """How much runs at once, and what tools may spend."""
    from ima2_plugins.agent.settings import AgentSettings

    return AgentSettings


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    """The tables of ima2-gen 2.0.2."""
    from ima2_plugins.agent.tables import METADATA

    return ima2.Tables(METADATA)


@ima2.hookimpl
def ima2_library_facets() -> list[ima2.Facet]:
    """The field ``sessionTitle`` of what was drawn in a conversation."""
    from ima2_plugins.agent.tables import TITLES

    return [TITLES]


@ima2.hookimpl
def ima2_lifespan(ctx: ima2.PluginContext) -> AbstractAsyncContextManager[None]:
    """The worker of the queue."""
    from ima2_plugins.agent.agent import agent_of

    return agent_of(ctx).working()


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> ima2.Routes:
    """Everything below ``/api/agent``."""
    from ima2_plugins.agent.routes import routes

    return routes(ctx)
