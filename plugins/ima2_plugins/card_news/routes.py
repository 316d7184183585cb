"""``/api/cardnews``: templates, drafts, sets, jobs and the export."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

import ima2
from ima2 import web
from ima2_plugins.card_news.drafting import draft
from ima2_plugins.card_news.export import archive
from ima2_plugins.card_news.plan import read_plan
from ima2_plugins.card_news.templates import ROLES, TEMPLATES, role_json, template
from ima2_plugins.card_news.wire import refusal

if TYPE_CHECKING:
    from ima2_plugins.card_news.feature import CardNews


def router(ctx: ima2.PluginContext) -> APIRouter:
    """All routes; the prefix is the mount's."""
    routes = APIRouter(tags=["card news"])
    _add_templates(routes)
    _add_drawing(routes, ctx)
    _add_jobs(routes, ctx)
    _add_sets(routes, ctx)
    return routes


def _feature(ctx: ima2.PluginContext) -> CardNews:
    feature: CardNews = ctx.state.feature
    return feature


def _add_templates(routes: APIRouter) -> None:
    @routes.get("/image-templates", summary="List the looks of cards")
    async def image_templates() -> dict[str, Any]:
        """Style, slots, palette, and where the preview is."""
        return {"templates": [one.as_json() for one in TEMPLATES.values()]}

    @routes.get("/image-templates/{template_id:path}/preview", summary="See a look", response_model=None)
    async def preview(template_id: str) -> Response:
        """A PNG with the slots marked. 400 ``CARD_NEWS_BAD_TEMPLATE_ID``, 404 ``CARD_NEWS_TEMPLATE_NOT_FOUND``."""
        from ima2_plugins.card_news.artwork import preview_picture

        picture = await asyncio.to_thread(preview_picture, template(template_id).id)
        return Response(picture.data, media_type=picture.media_type)

    @routes.get("/role-templates", summary="List the orders of roles")
    async def role_templates() -> dict[str, Any]:
        """Three, five or eight cards."""
        return {"templates": [role_json(one) for one in ROLES]}


def _add_drawing(routes: APIRouter, ctx: ima2.PluginContext) -> None:
    @routes.post("/draft", summary="Plan a set", response_model=None)
    async def plan(request: Request) -> web.Json:
        """Texts and scenes of all cards; ``planner`` says who wrote them and what had to be mended."""
        return web.Json(await draft(ctx.studio, ctx.settings, await web.read_json(request)))

    @routes.post("/generate", summary="Draw a set and wait", response_model=None)
    async def generate(request: Request) -> web.Json:
        """A card that fails stops no other; the manifest says which."""
        return web.Json(await _feature(ctx).generate(read_plan(await web.read_job(request))))

    @routes.post("/cards/{card_id}/regenerate", summary="Draw one card again", response_model=None)
    async def regenerate(request: Request, card_id: str) -> web.Json:
        """The other cards of the set stay as they are, and so does the earlier picture in the gallery."""
        return web.Json(await _feature(ctx).regenerate(card_id, await web.read_job(request)))


def _add_jobs(routes: APIRouter, ctx: ima2.PluginContext) -> None:
    @routes.post("/jobs", summary="Draw a set in the background", status_code=202, response_model=None)
    async def create(request: Request) -> web.Json:
        """202 with the job as it stands; it survives a restart."""
        job, _ = await _feature(ctx).create(read_plan(await web.read_job(request)))
        return web.Json(job.summary(), 202)

    @routes.get("/jobs/{job_id}", summary="See how far a job is", response_model=None)
    async def job(job_id: str) -> web.Json:
        """404 ``CARD_NEWS_JOB_NOT_FOUND``."""
        return web.Json((await _feature(ctx).job(job_id)).summary())

    @routes.post("/jobs/{job_id}/retry", summary="Draw failed cards again", status_code=202, response_model=None)
    async def retry(request: Request, job_id: str) -> web.Json:
        """Those of ``cardIds``, else all that failed."""
        body = await web.read_json(request)
        return web.Json((await _feature(ctx).retry(job_id, _ids(body))).summary(), 202)


def _add_sets(routes: APIRouter, ctx: ima2.PluginContext) -> None:
    @routes.get("/sets", summary="List sets", response_model=None)
    async def sets() -> web.Json:
        """Newest first."""
        from ima2_plugins.card_news.sets import summary_of

        return web.Json({"sets": [summary_of(one) for one in await _feature(ctx).sets.all()]})

    @routes.get("/sets/{set_id:path}/manifest", summary="Read a set's manifest", response_model=None)
    async def manifest(set_id: str, download: str = "") -> Response:
        """Indented JSON; a file with ``download=1``."""
        found = await _feature(ctx).sets.read(set_id)
        text = json.dumps(found, ensure_ascii=False, indent=2)
        head = _download(f"{set_id}-manifest.json") if download in ("1", "true") else {}
        return Response(text, media_type="application/json", headers=head)

    @routes.get("/sets/{set_id:path}/export", summary="Download a set", response_model=None)
    async def download(set_id: str) -> Response:
        """A ZIP with pictures, texts and manifest."""
        found = await _feature(ctx).sets.read(set_id)
        data = await archive(ctx.library, found)
        return Response(data, media_type="application/zip", headers=_download(f"{set_id}.zip"))

    @routes.get("/sets/{set_id:path}", summary="Read a set as a plan", response_model=None)
    async def one(set_id: str) -> web.Json:
        """404 ``CARD_NEWS_SET_NOT_FOUND``."""
        from ima2_plugins.card_news.sets import plan_of

        return web.Json({"plan": plan_of(await _feature(ctx).sets.read(set_id))})

    @routes.post("/export", summary="Ask where the download of a set is", status_code=202, response_model=None)
    async def export(request: Request) -> web.Json:
        """``url`` gives the ZIP of ``setId``."""
        set_id = (await web.read_json(request)).get("setId")
        if not isinstance(set_id, str) or not set_id:
            raise refusal("SET_REQUIRED", 400, "setId is required.")
        found = await _feature(ctx).sets.read(set_id)
        url = f"/api/cardnews/sets/{found['setId']}/export"
        answer = {"ok": True, "status": "ready", "setId": found["setId"], "url": url}
        return web.Json({**answer, "message": "The ZIP is at url."}, 202)


def _ids(body: Mapping[str, Any]) -> list[str] | None:
    given = body.get("cardIds")
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise refusal("BAD_CARD", 400, "cardIds must be a list of ids.")
    return given


def _download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
