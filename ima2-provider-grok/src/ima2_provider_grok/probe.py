"""What an account can do right now: the list of its models, which costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ima2 import Ima2Error, ProviderStatus
from ima2_provider_grok import failures, wire
from ima2_provider_grok.exchange import Exchange
from ima2_provider_grok.settings import GrokSettings
from ima2_provider_grok.transport import Transport

if TYPE_CHECKING:
    import httpx

_IMAGE_MODELS = "grok-imagine"


async def status(http: Callable[[], httpx.AsyncClient], transport: Transport, settings: GrokSettings) -> ProviderStatus:
    """``ready``, ``no_image_model``, ``auth_required``, ``offline``, or ``error`` with its status."""
    try:
        exchange = Exchange(http, await transport.connect(start=False))
        found = await names(exchange, settings.status_timeout_ms / 1000)
    except Ima2Error as error:
        return status_of(error)
    able = any(name.startswith(_IMAGE_MODELS) for name in found)
    return ProviderStatus("ready" if able else "no_image_model", found)


async def names(exchange: Exchange, seconds: float) -> tuple[str, ...]:
    """The names of the account's models. Raises `Ima2Error` when xAI does not tell them in time."""
    answer = await exchange.ask(failures.MODELS, "models", seconds)
    return tuple(str(model["id"]) for model in wire.objects(answer, "data") if model.get("id"))


def status_of(error: Ima2Error) -> ProviderStatus:
    """What a failed question says of a provider."""
    if isinstance(error, failures.UpstreamError):
        return ProviderStatus("error", reason=f"HTTP {error.http_status}")
    if error.status == 401:
        return ProviderStatus("auth_required", reason=error.text)
    return ProviderStatus("offline")
