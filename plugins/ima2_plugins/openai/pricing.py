"""What drawing cost, computed from the tokens an answer names. The carrier model's own tokens come on top."""

from __future__ import annotations

from typing import Any

from ima2_plugins.openai.catalogue import drawing_model

_MILLION = 1_000_000


def drawing_cost(model: str, used: Any, *, pictures_in: bool) -> float | None:
    """US dollars for the tokens of ``tool_usage.image_gen``; ``None`` where price or tokens are not known.

    Field names: openai 3.57.0 (Python SDK). All tokens that come out are priced as pictures.

    ``pictures_in`` says whether the request held pictures: without the details of an answer, its input tokens can then
    be of either kind.
    """
    prices = drawing_model(model).prices if model else None
    if prices is None or not isinstance(used, dict):
        return None
    given, made = _count(used, "input_tokens"), _count(used, "output_tokens")
    if given is None or made is None:
        return None
    details = used.get("input_tokens_details")
    if not isinstance(details, dict):
        if pictures_in:
            return None
        details = {"text_tokens": given, "image_tokens": 0}
    image, text = _count(details, "image_tokens"), _count(details, "text_tokens")
    if image is None or text is None:
        return None
    cached = used.get("cached_tokens_details")
    cached = cached if isinstance(cached, dict) else {}
    cached_text = min(_count(cached, "cached_text_tokens") or 0, text)
    cached_image = min(_count(cached, "cached_image_tokens") or 0, image)
    dollars = (
        (text - cached_text) * prices.text_in
        + cached_text * prices.text_cached
        + (image - cached_image) * prices.image_in
        + cached_image * prices.image_cached
        + made * prices.image_out
    )
    return dollars / _MILLION


def _count(values: dict[str, Any], name: str) -> int | None:
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
