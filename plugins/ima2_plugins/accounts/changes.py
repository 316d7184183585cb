"""What follows from a change of accounts."""

from __future__ import annotations

import ima2


def tell_change(ctx: ima2.PluginContext, alias: str) -> None:
    """Forget what was known of quotas, and let pages hear which account is another one now."""
    _forget(ctx)
    ctx.emit("changed", {"account": alias})


def tell_settings(ctx: ima2.PluginContext, plugin: str) -> None:
    """The same after a change of a plugin's settings, which may hold a key."""
    _forget(ctx)
    ctx.emit("settings", {"plugin": plugin})


def _forget(ctx: ima2.PluginContext) -> None:
    for answer in getattr(ctx.state, "answers", ()):
        answer.forget()
