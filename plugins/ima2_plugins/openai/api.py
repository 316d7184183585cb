"""Plugin ``openai_api``: provider ``api``, the OpenAI API with a key of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from pydantic import BaseModel


@ima2.hookimpl
def ima2_settings() -> type[BaseModel]:
    """Key, address and defaults."""
    from ima2_plugins.openai.settings import ApiSettings

    return ApiSettings


@ima2.hookimpl
def ima2_providers(ctx: ima2.PluginContext) -> list[ima2.Provider]:
    """The one provider of this plugin."""
    from ima2_plugins.openai.api_provider import ApiProvider

    return [ApiProvider(ctx.settings, ctx.http, ctx.log, ctx.sources.get("api_key", "none"))]
