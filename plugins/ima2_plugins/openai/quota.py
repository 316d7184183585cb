"""How much of a ChatGPT plan's allowance is used, as ChatGPT's own programs show it (``wham/usage``)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ima2 import Ima2Error, Quota, QuotaWindow
from ima2_plugins.openai.ask import ask
from ima2_plugins.openai.transport import Endpoint

if TYPE_CHECKING:
    import httpx

SECONDS = 8.0
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


async def plan_quota(client: httpx.AsyncClient, endpoint: Endpoint) -> Quota:
    """The windows of the plan and whose it is; ``authenticated`` is false where the login is refused.

    502 ``QUOTA_UNAVAILABLE`` when ChatGPT does not say.
    """
    reply = await ask(client, "GET", endpoint.url, SECONDS, headers=endpoint.headers)
    if reply is not None and reply.status in (401, 403):
        return Quota(authenticated=False)
    if reply is None or not reply.good:
        raise Ima2Error("QUOTA_UNAVAILABLE", 502, "ChatGPT did not say how much of the plan is used.")
    limits = reply.value.get("rate_limit")
    limits = limits if isinstance(limits, dict) else {}
    windows = [_window(limits.get(name)) for name in ("primary_window", "secondary_window")]
    account = {"email": reply.value.get("email"), "plan": reply.value.get("plan_type")}
    known = {name: value for name, value in account.items() if isinstance(value, str)}
    return Quota(tuple(window for window in windows if window), account=known)


def _window(value: Any) -> QuotaWindow | None:
    if not isinstance(value, Mapping) or not _is_number(value.get("used_percent")):
        return None
    length, resets = value.get("limit_window_seconds"), value.get("reset_at")
    moment = None
    if isinstance(resets, int | float):
        with contextlib.suppress(ValueError, OverflowError, OSError):
            moment = datetime.fromtimestamp(resets, UTC).isoformat().replace("+00:00", "Z")
    return QuotaWindow(window_label(length), round(value["used_percent"]), moment)


def window_label(seconds: Any) -> str:
    """The length of a window, such as ``5h`` or ``7d``; ``plan`` where it is not told."""
    if not _is_number(seconds) or seconds <= 0:
        return "plan"
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), (1, "s"))
    return f"{round(seconds / size)}{unit}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
