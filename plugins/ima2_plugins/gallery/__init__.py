"""What the page does with pictures that are there: bring in, trash, restore, erase, thumbnails, metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ima2_plugins.gallery.settings import GallerySettings


@ima2.hookimpl
def ima2_settings() -> type[GallerySettings]:
    from ima2_plugins.gallery.settings import GallerySettings

    return GallerySettings


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """The routes of ima2-gen, over the library."""
    from fastapi import APIRouter

    from ima2_plugins.gallery import files, metadata, storage, trash

    routes = APIRouter()
    for module in (files, trash, metadata, storage):
        routes.include_router(module.router(ctx))
    return routes
