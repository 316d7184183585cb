"""What follows from a change of accounts."""

from __future__ import annotations

import ima2


def tell_change(ctx: ima2.PluginContext, alias: str) -> None:
    """Forget what was known of quotas, and let pages hear which account is another one now."""
    for answer in getattr(ctx.state, "answers", ()):
        answer.forget()
    ctx.emit("changed", {"account": alias})
