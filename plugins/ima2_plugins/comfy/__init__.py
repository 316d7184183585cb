"""Handing pictures to a ComfyUI that runs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ima2_plugins.comfy.settings import ComfySettings


@ima2.hookimpl
def ima2_settings() -> type[ComfySettings]:
    """Where ComfyUI listens, and what may be sent."""
    from ima2_plugins.comfy.settings import ComfySettings

    return ComfySettings


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """The one call."""
    from ima2_plugins.comfy.routes import comfy_router

    return comfy_router(ctx)
