"""JSON answers, pictures included."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pybase64
from starlette.responses import Response

from ima2.errors import Ima2Error
from ima2.models import Picture

BIG = 4_000_000
"""Bytes of pictures above which an answer is encoded off the event loop."""


class Json(Response):
    """An answer of any JSON-able value; `Picture` values become data URLs."""

    media_type = "application/json"

    def __init__(self, value: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(value if isinstance(value, bytes) else encode(value), status_code, headers)


def encode(value: Any) -> bytes:
    """JSON with data URLs in place of pictures. Keys may be texts of a kind, as the column names of a row are."""
    try:
        return orjson.dumps(value, default=_data_url, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    except TypeError:
        return orjson.dumps(value, default=_data_url, option=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_NON_STR_KEYS)


async def reply(value: Mapping[str, Any], status_code: int = 200) -> Json:
    """An answer that may hold large pictures."""
    return Json(await asyncio.to_thread(encode, value) if weight(value) > BIG else encode(value), status_code)


def weight(value: Any) -> int:
    """Bytes of the pictures in an answer."""
    if isinstance(value, Picture):
        return len(value.data)
    if isinstance(value, Mapping):
        return sum(weight(item) for item in value.values())
    if isinstance(value, list):
        return sum(weight(item) for item in value)
    return 0


def by_url(value: Any) -> Any:
    """The answer with URLs in place of pictures: of the file that stands beside each."""
    if isinstance(value, Mapping):
        swapped = {name: by_url(item) for name, item in value.items()}
        return (
            {**swapped, "image": value["url"]}
            if isinstance(value.get("image"), Picture) and "url" in value
            else swapped
        )
    return [by_url(item) for item in value] if isinstance(value, list) else value


def failure(error: Ima2Error, body: Mapping[str, Any] | None = None) -> Json:
    """An error's answer; ``body`` replaces the plain shape ``{"error", "code"}``."""
    headers = {"Retry-After": str(max(1, round(error.retry_after)))} if error.retry_after is not None else None
    plain = {"error": error.text, "code": error.code, **error.details}
    return Json(plain if body is None else body, error.status, headers)


def _data_url(value: Any) -> str:
    if isinstance(value, Picture):
        return f"data:{value.media_type};base64,{pybase64.b64encode_as_string(value.data)}"
    raise TypeError(f"{type(value).__name__} is not JSON")
