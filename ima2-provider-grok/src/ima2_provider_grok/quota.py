"""What is left of a Grok subscription this month. xAI counts in US cents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ima2 import Ima2Error, Json, Quota, QuotaWindow
from ima2_provider_grok import plain_json
from ima2_provider_grok.transport import Connection

if TYPE_CHECKING:
    import httpx

_BILLING_SECONDS, _USER_SECONDS = 8.0, 5.0
_PLANS = ((150_000, "SuperGrok Heavy"), (15_000, "SuperGrok"))


async def read(http: Callable[[], httpx.AsyncClient], connection: Connection, billing_url: str) -> Quota:
    """Ask for the bill and the account at once. A refused bill leaves the windows out; no network is an error."""
    headers = await connection.headers()
    bill, user = await asyncio.gather(
        _get(http, f"{billing_url}/billing", headers, _BILLING_SECONDS),
        _get(http, f"{billing_url}/user", headers, _USER_SECONDS),
        return_exceptions=True,
    )
    if isinstance(bill, BaseException):
        raise bill
    email = user.get("email") if isinstance(user, dict) else None
    return quota_of(bill, email if isinstance(email, str) else None)


async def _get(http: Callable[[], httpx.AsyncClient], url: str, headers: dict[str, str], seconds: float) -> Json:
    """The JSON at ``url``, or ``None`` when the server refuses or says something else."""
    import httpx

    try:
        status, answer = await plain_json.request(http, "GET", url, seconds, headers=headers)
    except (httpx.HTTPError, TimeoutError):
        text = "Grok's billing page could not be reached. Check the network and try again."
        raise Ima2Error("GROK_NETWORK_FAILED", 502, text) from None
    return answer if 200 <= status < 300 else None


def quota_of(bill: Json, email: str | None) -> Quota:
    """The quota of a billing answer."""
    config = bill.get("config") if isinstance(bill, dict) else None
    if not isinstance(config, dict):
        return Quota(account={"email": email} if email else {})
    limit, used = _cents(config.get("monthlyLimit")), _cents(config.get("used"))
    percent = round(used / limit * 100) if limit else 0
    window = QuotaWindow("monthly", percent, _iso(config.get("billingPeriodEnd")))
    return Quota((window,), True, {"email": email, "plan": _plan(limit)}, used / 100, limit / 100)


def _cents(value: Json) -> float:
    number = value.get("val") if isinstance(value, dict) else value
    return number if isinstance(number, int | float) and not isinstance(number, bool) else 0


def _plan(limit: float) -> str:
    return next((name for floor, name in _PLANS if limit >= floor), f"SuperGrok ({limit:g} val)")


def _iso(value: Json) -> str | None:
    """A moment as ISO 8601 with milliseconds and ``Z``."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
