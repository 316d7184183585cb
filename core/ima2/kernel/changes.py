"""Changing a plugin's setting while it runs: stored, seen by its hooks, taken up by its providers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from ima2.contracts import Provider
from ima2.kernel import guard
from ima2.kernel.context import PluginContext
from ima2.settings.live import LiveSettings

log = logging.getLogger("ima2.plugins")
RECONFIGURE_S = 5.0


class Changes:
    """One change after the other. ``providers`` gives those of a plugin."""

    def __init__(self, live: LiveSettings, providers: Callable[[str], list[Provider]]) -> None:
        self._live, self._providers = live, providers
        self._lock = asyncio.Lock()

    async def __call__(self, ctx: PluginContext, field: str, value: Any) -> None:
        """See `PluginContext.set`. A provider that fails to take the change up keeps what it had, which is logged."""
        async with self._lock:
            model = type(ctx.settings)
            ctx.settings = await asyncio.to_thread(self._live.change, model, ctx.plugin, field, value)
            ctx.sources = await asyncio.to_thread(self._live.origins, model, ctx.plugin)
            for provider in self._providers(ctx.plugin):
                work = partial(provider.reconfigure, ctx.settings)
                error = await guard.attempt(f"plugin {ctx.plugin}", work, RECONFIGURE_S)
                if error is not None:
                    kind, where = type(error).__name__, guard.origin(error)
                    log.warning("provider %s did not take a new %s: %s at %s", provider.id, field, kind, where)
