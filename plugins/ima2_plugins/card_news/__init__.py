"""Card news: a topic becomes a set of square cards, each a picture with its texts, over the studio and the gallery.

It starts off: ``IMA2_CARD_NEWS=1`` or ``features.cardNews`` turns it on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ima2_plugins.card_news.settings import CardNewsSettings


@ima2.hookimpl
def ima2_settings() -> type[CardNewsSettings]:
    """The planner, and how long jobs are remembered."""
    from ima2_plugins.card_news.settings import CardNewsSettings

    return CardNewsSettings


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    """The jobs, so that a restart goes on with them."""
    from ima2_plugins.card_news.tables import METADATA

    return ima2.Tables(METADATA)


@ima2.hookimpl
def ima2_lifespan(ctx: ima2.PluginContext) -> AbstractAsyncContextManager[None]:
    """Goes on with the jobs of a process that is gone, and lists the sets that lie in the gallery."""

    @asynccontextmanager
    async def at_work() -> AsyncIterator[None]:
        from ima2_plugins.card_news.feature import CardNews

        ctx.state.feature = feature = CardNews(ctx)
        feature.start()
        try:
            yield
        finally:
            await feature.close()

    return at_work()


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> ima2.Routes:
    """Everything below ``/api/cardnews``."""
    from ima2_plugins.card_news.routes import router
    from ima2_plugins.card_news.wire import error_body

    return ima2.Routes(router(ctx), "/api/cardnews", error_body)


@ima2.hookimpl
def ima2_capabilities() -> dict[str, ima2.Json]:
    """That there is card news, and where."""
    return {"cardNews": {"available": True, "route": "/api/cardnews/sets", "cliCommand": "ima2 cardnews"}}
