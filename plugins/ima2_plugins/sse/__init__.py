"""The event channel: every event of every job, to every open page, on ``GET /api/events``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import ima2

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ima2_plugins.sse.settings import SseSettings
    from ima2_plugins.sse.sink import SseSink

_sinks: WeakKeyDictionary[ima2.Sql, SseSink] = WeakKeyDictionary()
"""The sink of each runtime of this process, by its database: how the routes find what the other hook made."""


@ima2.hookimpl
def ima2_settings() -> type[SseSettings]:
    from ima2_plugins.sse.settings import SseSettings

    return SseSettings


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    from ima2_plugins.sse.journal import TABLES

    return TABLES


@ima2.hookimpl
def ima2_event_sinks(ctx: ima2.PluginContext) -> list[SseSink]:
    from ima2_plugins.sse.sink import SseSink

    sink = SseSink(ctx.settings, ctx.database, ctx.log)
    _sinks[ctx.database] = sink
    return [sink]


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    from ima2_plugins.sse.routes import router

    return router(_sinks[ctx.database])
