"""Which accounts there are: the credentials that providers declare, by their names on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import ima2


@dataclass(frozen=True, slots=True)
class Account:
    """One credential of one provider. ``alias`` names it on the wire and on the command line."""

    alias: str
    provider: ima2.Provider
    credential: ima2.Credential


def accounts(ctx: ima2.PluginContext) -> Iterator[Account]:
    """Every credential, in the order of the providers. Of two with one name the first counts.

    A name is the credential's alias, else its provider's id, for a further one with the credential's name behind it.
    """
    taken: set[tuple[bool, str]] = set()
    for provider in ctx.studio.providers():
        for credential in provider.credentials:
            stored = is_stored(credential)
            alias = credential.alias or provider.id
            if (stored, alias) in taken and not credential.alias:
                alias = f"{provider.id}-{credential.name}"
            if (stored, alias) not in taken:
                taken.add((stored, alias))
                yield Account(alias, provider, credential)


def is_stored(credential: ima2.Credential) -> bool:
    """Whether it is a text that ima2 keeps in its settings."""
    return credential.kind in ("key", "file") and bool(credential.setting)


def stored_accounts(ctx: ima2.PluginContext) -> dict[str, Account]:
    """Keys and files by name."""
    return {one.alias: one for one in accounts(ctx) if is_stored(one.credential)}


def login_accounts(ctx: ima2.PluginContext) -> dict[str, Account]:
    """Accounts that one signs in to, by name."""
    return {one.alias: one for one in accounts(ctx) if one.credential.kind == "login" and one.credential.methods}
