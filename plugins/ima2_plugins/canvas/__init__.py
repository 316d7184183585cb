"""Drawing on pictures: what is drawn over them, a browser at a time, and the versions in which it is part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ima2_plugins.canvas.settings import CanvasSettings


@ima2.hookimpl
def ima2_settings() -> type[CanvasSettings]:
    """How large a version may be."""
    from ima2_plugins.canvas.settings import CanvasSettings

    return CanvasSettings


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    """The table of annotations, as ima2-gen has it."""
    from ima2_plugins.canvas.table import METADATA

    return ima2.Tables(METADATA)


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """Annotations and canvas versions."""
    from fastapi import APIRouter

    from ima2_plugins.canvas.annotations import annotation_router
    from ima2_plugins.canvas.versions import version_router

    routes = APIRouter()
    routes.include_router(annotation_router(ctx.database))
    routes.include_router(version_router(ctx))
    return routes
