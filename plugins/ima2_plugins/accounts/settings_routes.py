"""``/api/settings`` and ``PATCH /api/plugins/NAME``: settings of plugins, seen and changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.accounts.changes import tell_settings
from ima2_plugins.accounts.settings_rows import rows

LONGEST_BODY = 400_000
_ROW = {"name": "planner_model", "title": "Planner model", "type": "string", "source": "default", "value": "grok-4.3"}
_ALL = {"plugins": [{"plugin": "grok", "settings": [_ROW]}]}


def settings_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes over what plugins declare."""
    routes = APIRouter()

    @routes.get("/api/settings", summary="Settings of every plugin", responses=_example(_ALL))
    async def read() -> web.Json:
        """With type, limits, value and where it comes from. Secrets are not shown, only whether there is one."""
        names = ctx.configuration.plugins()
        return web.Json({"plugins": [{"plugin": name, "settings": rows(ctx, name)} for name in names]})

    @routes.patch("/api/settings", summary="Change settings", responses=_example({"ok": True, **_ALL}))
    async def change(request: Request) -> web.Json:
        """Takes an object of plugins, each with the fields to change; ``null`` brings a default back. An unknown name
        changes nothing at all; of values that are refused, the error names the first, and ``changed`` what was
        stored before it."""
        return await _changed(ctx, await web.read_json(request, LONGEST_BODY))

    @routes.patch("/api/plugins/{name}", summary="Change settings of one plugin", responses=_example(_ALL))
    async def change_one(request: Request, name: str) -> web.Json:
        """Takes the fields to change, as `PATCH /api/settings` does."""
        return await _changed(ctx, {name: dict(await web.read_json(request, LONGEST_BODY))})

    @routes.put("/api/config/provider", summary="Choose the default provider", responses=_example({"ok": True}))
    async def choose(request: Request) -> web.Json:
        """``provider`` is used from the next start on where a request names none."""
        name = (await web.read_json(request)).get("provider")
        provider = ctx.studio.provider(name if isinstance(name, str) else "?")
        await ctx.configuration.choose_provider(provider)
        return web.Json({"ok": True, "provider": provider.id})

    return routes


async def _changed(ctx: ima2.PluginContext, wanted: Mapping[str, Any]) -> web.Json:
    for plugin, fields in wanted.items():
        known = ctx.configuration.places(plugin)
        unknown = sorted(set(fields) - set(known)) if isinstance(fields, dict) else ["(no object)"]
        if unknown:
            text = f"Plugin {plugin} has no setting {unknown[0][:60]}. It has: {', '.join(known) or 'none'}."
            raise ima2.Ima2Error("UNKNOWN_SETTING", 400, text)
    changed: list[str] = []
    for plugin, fields in wanted.items():
        for field, value in fields.items():
            try:
                await ctx.configuration.set(plugin, field, value)
            except ima2.Ima2Error as error:
                details = {**error.details, "setting": f"{plugin}.{field}", "changed": changed}
                raise ima2.Ima2Error(error.code, error.status, error.text, details=details) from None
            changed.append(f"{plugin}.{field}")
        tell_settings(ctx, plugin)
    found = [{"plugin": name, "settings": rows(ctx, name)} for name in wanted]
    return web.Json({"ok": True, "changed": changed, "plugins": found})


def _example(value: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": value}}}}
