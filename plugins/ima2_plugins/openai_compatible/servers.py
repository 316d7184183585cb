"""From the settings to providers: names become ids, and one bad entry never stops the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ima2_plugins.openai_compatible.provider import CompatibleProvider
from ima2_plugins.openai_compatible.settings import Server, read_server

if TYPE_CHECKING:
    import ima2

TAKEN = frozenset({"auto", "keys", "config", "auth", "agy", "api", "demo", "gemini-api", "grok", "grok-api", "oauth"})
"""Words that mean something in requests, and the ids of providers that come with ima2."""


def providers(ctx: ima2.PluginContext) -> Iterator[CompatibleProvider]:
    """A provider for each server. Its id is its name as a slug; one that is taken gets ``-server`` behind it."""
    used = set(TAKEN)
    for name, entry in ctx.settings.servers.items():
        provider_id = slug(name)
        while provider_id in used:
            provider_id += "-server"
        if provider_id != name:
            ctx.log.warning("the server %r is the provider %s", name, provider_id)
        used.add(provider_id)
        server = read_server(entry)
        title = server.title if isinstance(server, Server) else ""
        yield named(provider_id, name, title or name)(server, ctx.http, ctx.log, ctx.fetch)


def slug(name: str) -> str:
    """A name as an id: small letters, digits, ``-`` and ``_``."""
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:60] or "server"


def named(provider_id: str, name: str, title: str) -> type[CompatibleProvider]:
    """A class of its own for a server, as a provider's id belongs to its class."""
    return type("CompatibleServer", (CompatibleProvider,), {"id": provider_id, "name": name, "title": title})
