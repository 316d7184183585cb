"""Titles of conversations with the agent in the gallery, read from the table in which ima2-gen keeps them."""

from __future__ import annotations

import ima2


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    """The table of conversations, in its shape of ima2-gen 2.0.2."""
    from ima2_plugins.session_titles.tables import METADATA

    return ima2.Tables(METADATA)


@ima2.hookimpl
def ima2_library_facets() -> list[ima2.Facet]:
    """The field ``sessionTitle`` of what was made in a conversation."""
    from ima2_plugins.session_titles.tables import FACETS

    return list(FACETS)
