"""Plugin ``oauth``: provider ``oauth``, the allowance of a ChatGPT login, natively or through a local proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from pydantic import BaseModel


@ima2.hookimpl
def ima2_settings() -> type[BaseModel]:
    """Where the login and the proxy are, addresses and defaults."""
    from ima2_plugins.openai.settings import OauthSettings

    return OauthSettings


@ima2.hookimpl
def ima2_providers(ctx: ima2.PluginContext) -> list[ima2.Provider]:
    """The one provider of this plugin."""
    from ima2_plugins.openai.oauth_provider import OauthProvider

    return [OauthProvider(ctx.settings, ctx.http, ctx.log, ctx.data_dir)]
