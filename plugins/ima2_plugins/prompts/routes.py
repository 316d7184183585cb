"""All routes of the plugin, fixed paths before those with an id."""

from __future__ import annotations

from fastapi import APIRouter

import ima2
from ima2_plugins.prompts.builder.routes import builder_router
from ima2_plugins.prompts.importing.routes import import_router
from ima2_plugins.prompts.library_routes import folder_router, prompt_router
from ima2_plugins.prompts.settings import lists_of
from ima2_plugins.prompts.templates.routes import template_router


def router(ctx: ima2.PluginContext) -> APIRouter:
    """Of the library, of imports, of templates and of the prompt builder."""
    routes = APIRouter()
    routes.include_router(builder_router(ctx))
    routes.include_router(import_router(ctx))
    routes.include_router(template_router(lambda: lists_of(ctx)))
    routes.include_router(folder_router(ctx.database))
    routes.include_router(prompt_router(ctx.database))
    return routes
