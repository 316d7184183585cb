"""A small JSON document by HTTP: from the sign-in, the billing pages, a proxy. Read no further than a mebibyte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ima2 import Ima2Error, Json, read_json_limited

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 1 << 20


async def request(
    http: Callable[[], httpx.AsyncClient],
    method: str,
    url: str,
    seconds: float,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> tuple[int, Json]:
    """Status and document, ``None`` for what is no JSON or larger than it may be. Redirects are not followed.

    Raises ``TimeoutError`` after ``seconds``, and what httpx raises when there is no answer.
    """
    async with asyncio.timeout(seconds):
        asked = http().stream(
            method,
            url,
            data=form,
            headers={"accept": "application/json", **(headers or {})},
            timeout=None,
            follow_redirects=False,
        )
        async with asked as response:
            try:
                return response.status_code, await read_json_limited(response, MOST_BYTES)
            except (ValueError, Ima2Error):
                return response.status_code, None
