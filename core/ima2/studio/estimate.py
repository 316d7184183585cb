"""What a request should cost by the list prices that its provider declares."""

from __future__ import annotations

from collections.abc import Iterable

from ima2.capabilities import Capabilities, Price
from ima2.models import ImageRequest, VideoRequest


def estimate(able: Capabilities, request: ImageRequest | VideoRequest) -> float | None:
    """US dollars for all of a request, inputs included; ``None`` where no price is declared that fits.

    A sequence counts with as many pictures as it may bring. Where a price depends on what the request leaves open,
    the highest one counts.
    """
    if isinstance(request, VideoRequest):
        unit = _price(able.prices, request.model, "second", resolution=request.resolution)
        inputs = len(request.references) + (request.source is not None)
        amount = float(request.duration)
    else:
        unit = _price(able.prices, request.model, "image", quality=request.quality)
        inputs = len(request.references) + (request.source is not None)
        amount = float(max(request.count, request.sequence))
    if unit is None:
        return None
    extra = _price(able.prices, request.model, "input-image") or 0.0
    return round(unit * amount + extra * inputs, 6)


def _price(
    prices: Iterable[Price], model: str, unit: str, *, quality: str | None = None, resolution: str | None = None
) -> float | None:
    found = [
        price.usd
        for price in prices
        if price.model == model
        and price.unit == unit
        and (quality is None or price.quality in (None, quality))
        and (resolution is None or price.resolution in (None, resolution))
    ]
    return max(found, default=None)
