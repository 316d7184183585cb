"""What a picture costs, by what the answer and its bytes say."""

from __future__ import annotations

from typing import Any

import ima2

from .answers import member
from .catalogue import ImageModel
from .sizes import size_name


def cost(model: ImageModel, pictures: list[ima2.Picture], inputs: int, usage: dict[str, Any]) -> float | None:
    """US dollars of one answer: all its pictures, each at the size it really has, and the pictures that went in.

    By image tokens where the model is billed so and they are counted, else by the list price; ``None`` where no price
    is known.
    """
    tokens = image_tokens(usage)
    if model.token_usd is not None and tokens:
        return round(tokens * model.token_usd / 1_000_000, 6)
    prices = [_list_price(model, picture) for picture in pictures]
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        return None
    return round(sum(known) + inputs * model.input_usd, 6)


def image_tokens(usage: dict[str, Any]) -> int:
    """How many tokens of the answer were pictures, 0 when it does not say."""
    details = member(usage, "candidatesTokensDetails")
    rows = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    counts = [member(one, "tokenCount") for one in rows if one.get("modality") == "IMAGE"]
    return sum(count for count in counts if isinstance(count, int))


def _list_price(model: ImageModel, picture: ima2.Picture) -> float | None:
    """The price of a picture's real size; of the nearest size that has a price where it is none of the model's."""
    if not model.prices:
        return None
    width, height = ima2.size_of(picture.data) or (1024, 1024)
    drawn = size_name(width, height)
    if drawn in model.prices:
        return model.prices[drawn]
    edges = list(model.prices.values())
    return edges[0] if drawn == "512" else edges[-1]
