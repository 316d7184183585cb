"""``/api/config/grok-planner``: which model words the prompts of Grok."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request

import ima2
from ima2 import web

OPTIONS = ("grok-4.3", "gpt-5.5", "gpt-5.4", "gpt-5.4-mini")
"""What ima2-gen offers, in its order. One that xAI does not serve is replaced as any model that is gone, and told."""
_PLANNER = {"model": OPTIONS[0], "options": list(OPTIONS)}


def planner_router(ctx: ima2.PluginContext) -> APIRouter:
    """Reading and changing the setting ``planner_model``."""
    routes = APIRouter(tags=["grok"])

    @routes.get("/api/config/grok-planner", summary="Which model plans", responses=_example(_PLANNER))
    async def read() -> web.Json:
        """The model in force and those to choose from."""
        return web.Json({"model": ctx.settings.planner_model, "options": list(OPTIONS)})

    @routes.patch("/api/config/grok-planner", summary="Choose the model that plans", responses=_example(_PLANNER))
    async def change(request: Request) -> web.Json:
        """Takes ``model``, one of the options. It is kept in config.json and counts from the next job on."""
        model = (await web.read_json(request)).get("model")
        if model not in OPTIONS:
            raise ima2.Ima2Error("INVALID_PLANNER_MODEL", 400, f"model must be one of: {', '.join(OPTIONS)}.")
        await ctx.set("planner_model", model)
        return web.Json({"model": ctx.settings.planner_model})

    return routes


def _example(value: Mapping[str, object]) -> dict[int | str, dict[str, object]]:
    return {200: {"content": {"application/json": {"example": value}}}}
