"""Favourites: pictures that a browser has marked, as a filter and a field of the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from fastapi import APIRouter


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    """The table of ima2-gen."""
    from ima2_plugins.favorites.table import METADATA

    return ima2.Tables(METADATA)


@ima2.hookimpl
def ima2_library_facets() -> list[ima2.Facet]:
    """The filter ``favoritesOnly`` and the field ``isFavorite``, by the browser that asks."""
    from ima2_plugins.favorites.table import FACET

    return [FACET]


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """The switch of one picture."""
    from ima2_plugins.favorites.routes import router

    return router(ctx.database)
