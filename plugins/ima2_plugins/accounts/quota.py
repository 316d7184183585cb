"""What is left to spend and what the bill says: every provider asked at once, each within bounds, for a few seconds.

What an upstream does not say is left out; it is never told as zero.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import ima2
from ima2_plugins.accounts.directory import login_accounts

ASK_SECONDS = 12.0
KEPT_SECONDS = 15.0


class Cached:
    """An answer that is asked for by one at a time and kept for a few seconds; a change of accounts forgets it."""

    def __init__(self, ask: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._ask = ask
        self._lock = asyncio.Lock()
        self._answer: dict[str, Any] | None = None
        self._until = 0.0

    async def get(self) -> dict[str, Any]:
        """The answer, a few seconds old at most."""
        async with self._lock:
            if self._answer is None or time.monotonic() >= self._until:
                self._answer = await self._ask()
                self._until = time.monotonic() + KEPT_SECONDS
            return self._answer

    def forget(self) -> None:
        """Ask anew the next time."""
        self._until = 0.0


def spenders(ctx: ima2.PluginContext) -> dict[str, ima2.Provider]:
    """The providers that can tell a quota, by the name of their account on the wire."""
    names = {id(one.provider): alias for alias, one in reversed(login_accounts(ctx).items())}
    able = [one for one in ctx.studio.providers() if type(one).quota is not ima2.Provider.quota]
    return {names.get(id(one), one.id): one for one in able}


async def quotas(ctx: ima2.PluginContext) -> dict[str, Any]:
    """The quota of every account, by name."""
    asked = spenders(ctx)
    found = await asyncio.gather(*(_quota(ctx, name, provider) for name, provider in asked.items()))
    return dict(zip(asked, found, strict=True))


async def _quota(ctx: ima2.PluginContext, name: str, provider: ima2.Provider) -> dict[str, Any]:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            found = await provider.quota()
    except Exception as error:
        ctx.log.warning("the quota of %s is not known: %s", name, getattr(error, "code", type(error).__name__))
        return {"provider": name, "windows": [], "error": True}
    return {"provider": name, **quota_row(found)}


def quota_row(quota: ima2.Quota | None) -> dict[str, Any]:
    """A quota as clients read it."""
    if quota is None:
        return {"windows": [], "authenticated": False}
    windows = [{"label": one.label, "percent": one.percent, "resetsAt": one.resets_at} for one in quota.windows]
    row: dict[str, Any] = {"windows": windows, "authenticated": quota.authenticated}
    if quota.account:
        row["account"] = dict(quota.account)
    money = {"usedUsd": quota.used_usd, "limitUsd": quota.limit_usd}
    if any(value is not None for value in money.values()):
        row["billing"] = money
    return row


async def bill(ctx: ima2.PluginContext, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the providers say of the bill, in one answer, and the accounts whose quota is money."""
    asked = [one for one in ctx.studio.providers() if type(one).billing is not ima2.Provider.billing]
    answer: dict[str, Any] = {}
    for found in await asyncio.gather(*(_bill(ctx, provider) for provider in asked)):
        answer.update(found)
    for name, row in known.items():
        if "billing" in row:
            answer.setdefault(name, row)
    return answer


async def _bill(ctx: ima2.PluginContext, provider: ima2.Provider) -> Mapping[str, Any]:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await provider.billing() or {}
    except Exception as error:
        ctx.log.warning("the bill of %s is not known: %s", provider.id, getattr(error, "code", type(error).__name__))
        return {}
