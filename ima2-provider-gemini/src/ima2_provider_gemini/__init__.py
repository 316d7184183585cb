"""Gemini's picture models for ima2, by API key or by a Vertex AI service account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from .provider import GeminiProvider
    from .settings import GeminiSettings


@ima2.hookimpl
def ima2_settings() -> type[GeminiSettings]:
    """Credentials, addresses, model names and the time limit."""
    from .settings import GeminiSettings

    return GeminiSettings


@ima2.hookimpl
def ima2_providers(ctx: ima2.PluginContext) -> list[GeminiProvider]:
    """The provider ``gemini-api``."""
    from .provider import GeminiProvider

    return [GeminiProvider(ctx)]
