"""``POST /api/providers/refresh``: ask the services for their models now."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web


def router(ctx: ima2.PluginContext) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["status"])

    @routes.post("/api/providers/refresh", summary="Ask the services for their models", responses=RESPONSES)
    async def refresh(request: Request) -> dict[str, Any]:
        """Asks the service of ``provider``, or of every provider that is ready, for the models that the account has.
        Costs nothing. ``GET /api/providers`` tells them from then on."""
        asked = (await web.read_json(request)).get("provider")
        if asked is not None and not isinstance(asked, str):
            raise ima2.Ima2Error("UNKNOWN_PROVIDER", 400, "provider must be a string.")
        providers = [ctx.studio.provider(asked)] if asked else list(ctx.studio.providers(ready=True))
        answers = await ctx.state.lookout.look(providers)
        return {"ok": True, "providers": [row(one, answers[one.id]) for one in providers]}

    return routes


def row(provider: ima2.Provider, reason: str | None) -> dict[str, Any]:
    """What came of asking one provider's service; ``reason`` is why nothing new was found."""
    listed = provider.listed
    found: dict[str, Any] = {"id": provider.id, "title": provider.title, "models": [], "listedAt": None}
    if listed is not None:
        found |= {"models": [one.id for one in listed.models], "listedAt": listed.at}
    return found if reason is None else {**found, "reason": reason}


def _example(value: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"example": value}}}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _example(
        {
            "ok": True,
            "providers": [{"id": "example", "title": "Example", "models": ["one"], "listedAt": 1764115200000}],
        }
    ),
    400: _example({"error": "No such provider. Offered here: example.", "code": "UNKNOWN_PROVIDER"}),
}
