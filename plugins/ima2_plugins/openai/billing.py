"""What OpenAI tells a key of its organization's bill."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ima2 import Json
from ima2_plugins.openai.ask import ask

if TYPE_CHECKING:
    import httpx

SECONDS = 10.0


async def read_bill(client: httpx.AsyncClient, base_url: str, headers: Mapping[str, str]) -> dict[str, Json]:
    """``apiKeyValid`` by the list of models; ``costs`` of this month (admin keys) and ``credits`` where they are told.

    Each is asked for within ten seconds; one that fails is left out.
    """
    now = datetime.now(UTC)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    span = f"start_time={int(month.timestamp())}&end_time={int(now.timestamp())}"
    urls = (
        f"{base_url}/organization/costs?{span}&bucket_width=1d&limit=31",
        f"{base_url.removesuffix('/v1')}/dashboard/billing/credit_grants",
        f"{base_url}/models",
    )
    costs, credits_, models = await asyncio.gather(*(ask(client, "GET", url, SECONDS, headers=headers) for url in urls))
    answer: dict[str, Json] = {"apiKeyValid": models is not None and models.good}
    for name, reply in (("costs", costs), ("credits", credits_)):
        if reply is not None and reply.good and reply.value:
            answer[name] = reply.value
    return answer
