"""``GET /api/costs`` and ``POST /api/estimate``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.costs.policy import budgets, today

if TYPE_CHECKING:
    from sqlalchemy import Connection

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TOTAL = {"jobs": 3, "reportedUsd": 0.12, "estimatedUsd": 0.04, "unknownUsd": 0.0, "reservedUsd": 0.0, "unpriced": 0}
_COSTS = {"by": "provider", "total": _TOTAL, "rows": [{"key": "api", **_TOTAL}], "budgets": []}


def cost_router(ctx: ima2.PluginContext) -> APIRouter:
    """The routes over the ledger and over what providers declare."""
    routes = APIRouter(tags=["costs"])

    @routes.get("/api/costs", summary="What was spent", responses=_example(_COSTS))
    async def costs(by: str = "provider", since: str = "", until: str = "") -> web.Json:
        """From the day ``since`` (this month's first) to ``until`` (UTC, both included), ``by`` provider, model, day,
        session, client or kind. Told apart are what providers reported, what list prices say, what nobody knows, and
        what is set aside for jobs that run; ``unpriced`` counts jobs without report and price."""
        from ima2_plugins.costs.table import GROUPS

        if by not in GROUPS or any(day and not DAY.fullmatch(day) for day in (since, until)):
            raise ima2.Ima2Error("INVALID_QUERY", 400, f"by is one of {', '.join(GROUPS)}; days are like 2026-07-01.")
        await ctx.state.policy.catch_up()
        span = (since or f"{today()[:8]}01", until or today())
        return web.Json(await ctx.database.read(lambda connection: _report(connection, by, span, ctx.settings)))

    @routes.post("/api/estimate", summary="What a request would cost", responses=_example({"estimateUsd": 0.04}))
    async def estimate(request: Request) -> web.Json:
        """Takes the body of ``POST /api/generate``, or with ``"media": "video"`` of a clip from words. Nothing is sent
        and nothing spent. ``estimateUsd`` is ``null`` where no price is declared, 0 for what is free."""
        fields = await web.read_json(request, 60_000_000)
        asked = _clip(fields) if fields.get("media") == "video" else _pictures(fields, ctx.studio, request)
        checked = ctx.studio.check(asked)
        amount = 0.0 if checked.provider.free else checked.estimate
        answer = {"estimateUsd": amount, "free": checked.provider.free, "provider": checked.provider.id}
        return web.Json({**answer, "model": checked.request.model})

    return routes


def _report(connection: Connection, by: str, span: tuple[str, str], settings: Any) -> dict[str, Any]:
    from ima2_plugins.costs.table import spent, summed

    rows = [{"key": row["key"], **_money(row)} for row in summed(connection, by, *span)]
    limits = [
        {"name": one.name, "limitUsd": one.usd, "usedUsd": spent(connection, one.since, provider=one.provider)}
        for one in budgets(settings, today())
    ]
    total = _money(summed(connection, None, *span)[0])
    return {"by": by, "since": span[0], "until": span[1], "total": total, "rows": rows, "budgets": limits}


def _money(row: Mapping[str, Any]) -> dict[str, Any]:
    amounts = {f"{state}Usd": round(row[state], 6) for state in ("reported", "estimated", "unknown", "reserved")}
    return {"jobs": row["jobs"], **amounts, "unpriced": row["unpriced"]}


def _pictures(fields: Mapping[str, Any], studio: ima2.Studio, request: Request) -> ima2.ImageRequest:
    body = web.ImageBody(fields, studio, web.request_id(request))
    body.choose_provider()
    body.choose_model()
    body.require_prompt()
    body.read_references()
    body.choose_image_options()
    body.choose_moderation()
    return body.request(references=body.sources(), count=body.count("n", 8))


def _clip(fields: Mapping[str, Any]) -> ima2.VideoRequest:
    known = {"prompt": str, "provider": str, "model": str, "duration": int, "resolution": str}
    found = {name: fields[name] for name, kind in known.items() if isinstance(fields.get(name), kind)}
    return ima2.VideoRequest(**{"prompt": "", "provider": "", **found})


def _example(value: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": value}}}}
