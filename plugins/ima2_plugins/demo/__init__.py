"""A provider that draws offline: to look around without a key, to try the page, and to test without a network.

It reads a few words of the prompt (sea, forest, city, space, night, snow, cat, boat, …) and paints a small
landscape; the same prompt and seed give the same bytes. Words of the form ``demo:delay=500`` and
``demo:fail=rate_limit`` in a prompt (or the settings ``delay_ms`` and ``fail``) make it slow or make it fail, as
`ima2_plugins.demo.words.FAILURES` lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from ima2_plugins.demo.provider import DemoProvider
    from ima2_plugins.demo.settings import DemoSettings


@ima2.hookimpl
def ima2_settings() -> type[DemoSettings]:
    """How slow it is, and whether it fails."""
    from ima2_plugins.demo.settings import DemoSettings

    return DemoSettings


@ima2.hookimpl
def ima2_providers(ctx: ima2.PluginContext) -> list[DemoProvider]:
    """Offer the provider ``demo``."""
    from ima2_plugins.demo.provider import DemoProvider

    return [DemoProvider(ctx.settings)]
