"""Servers that speak OpenAI's wire, each a provider: LocalAI, sd-server, koboldcpp, gateways.

Plugin ``openai_compatible`` makes one provider of each server that the settings name, with what the settings say that
it can do. ``settings`` and ``servers`` lead from config.json to providers, ``connection`` and ``failures`` speak HTTP,
``drawing`` and ``answer`` are pictures, ``words`` is text, ``listing`` the server's models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from pydantic import BaseModel


@ima2.hookimpl
def ima2_settings() -> type[BaseModel]:
    """The servers, by name."""
    from ima2_plugins.openai_compatible.settings import CompatibleSettings

    return CompatibleSettings


@ima2.hookimpl
def ima2_providers(ctx: ima2.PluginContext) -> list[ima2.Provider]:
    """One provider a server."""
    if not ctx.settings.servers:
        return []
    from ima2_plugins.openai_compatible.servers import providers

    return list(providers(ctx))
