"""Titles of sessions in the gallery, read from the tables in which ima2-gen keeps its graph and agent sessions."""

from __future__ import annotations

import ima2


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    """The tables of sessions, in their shape of ima2-gen 2.0.2."""
    from ima2_plugins.session_titles.tables import METADATA

    return ima2.Tables(METADATA)


@ima2.hookimpl
def ima2_library_facets() -> list[ima2.Facet]:
    """The field ``sessionTitle``; a graph session's before an agent session's."""
    from ima2_plugins.session_titles.tables import FACETS

    return list(FACETS)
