"""``/api/prompts/import/…``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.prompts.importing import github_folder
from ima2_plugins.prompts.importing.cache_file import CacheFile
from ima2_plugins.prompts.importing.discovery import STATUSES, Discovery
from ima2_plugins.prompts.importing.errors import ImportRoute
from ima2_plugins.prompts.importing.index import CuratedIndex
from ima2_plugins.prompts.importing.preview import commit, preview
from ima2_plugins.prompts.importing.remote import GitHub

SOURCE_BYTES = 50 * 2**20


def import_router(ctx: ima2.PluginContext) -> APIRouter:
    """Looking into sources, and keeping what was chosen."""
    router = APIRouter(prefix="/api/prompts/import", tags=["prompt import"], route_class=ImportRoute)
    github = GitHub(ctx)

    @router.post("/preview", summary="The prompts of a file")
    async def look(request: Request) -> web.Json:
        """``{"source": {"kind": "local", "filename", "text"}}`` or ``{"source": {"kind": "github", "input"}}``."""
        return web.Json(await preview(await web.read_json(request, SOURCE_BYTES), github))

    @router.post("/commit", summary="Keep prompts that were found")
    async def keep(request: Request) -> web.Json:
        """``candidates`` as a preview gave them, and ``folderId``."""
        given = await web.read_json(request, SOURCE_BYTES)
        return web.Json(await ctx.database.write(lambda connection: commit(connection, given, github.settings)))

    @router.post("/folder-files", summary="The files of a folder at GitHub")
    async def folder_files(request: Request) -> web.Json:
        """``{"source": {"input": "https://github.com/o/r/tree/main/prompts"}}``, or ``owner/repo[@ref]:path``."""
        return web.Json(await github_folder.list_folder(await web.read_json(request), github))

    @router.post("/folder-preview", summary="The prompts of files of a folder at GitHub")
    async def folder_preview(request: Request) -> web.Json:
        """The same and ``paths``: which files."""
        return web.Json(await github_folder.preview_folder(await web.read_json(request), github))

    _add_lists(router, ctx, github)
    return router


def _add_lists(router: APIRouter, ctx: ima2.PluginContext, github: GitHub) -> None:
    """The curated lists, and finding more of them."""
    found_file, index_file = _file(ctx, "discovery"), _file(ctx, "index")
    discovery = Discovery(github, CacheFile(found_file, "candidates"))
    index = CuratedIndex(github, CacheFile(index_file, "sources"), discovery.approved)

    @router.get("/curated-sources", summary="The curated lists")
    async def curated() -> web.Json:
        """The built-in ones, and those that were approved."""
        return web.Json({"sources": await index.sources()})

    @router.post("/curated-search", summary="Search the curated lists")
    async def curated_search(request: Request) -> web.Json:
        """``q``, ``sourceIds``, ``limit``. Lists are read when that was not done for a day."""
        given = await web.read_json(request)
        most = github.settings.curated_search_limit
        found = await index.search(_text(given.get("q")), _texts(given.get("sourceIds")), _limit(given, most))
        return web.Json(found)

    @router.post("/curated-refresh", summary="Read a curated list anew")
    async def curated_refresh(request: Request) -> web.Json:
        """``sourceId``."""
        return web.Json(await index.refresh((await web.read_json(request)).get("sourceId")))

    @router.get("/discovery", summary="Repositories that were found")
    async def discovered(status: str = "") -> web.Json:
        """With ``status`` only those (candidate, approved, rejected)."""
        return web.Json({"candidates": await discovery.found(status if status in STATUSES else ""), "warnings": []})

    @router.post("/discovery-search", summary="Search GitHub for repositories of prompts")
    async def discovery_search(request: Request) -> web.Json:
        """``q``, ``seeds``, ``limit``."""
        given = await web.read_json(request)
        most = github.settings.discovery_search_limit
        return web.Json(await discovery.search(_text(given.get("q")), _texts(given.get("seeds")), _limit(given, most)))

    @router.post("/discovery-review", summary="Approve or reject a repository")
    async def discovery_review(request: Request) -> web.Json:
        """``repo``, ``status``, and ``allowedPaths``, ``defaultSearch``, ``reviewNotes``."""
        return web.Json(await discovery.review(await web.read_json(request)))


def _file(ctx: ima2.PluginContext, what: str) -> Any:
    def path() -> Path:
        named = getattr(ctx.settings, f"{what}_file")
        return Path(named).expanduser() if named else ctx.config_dir / f"prompt-import-{what}.json"

    return path


def _text(value: Any) -> str:
    return value[:500] if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [one[:200] for one in value if isinstance(one, str) and one] if isinstance(value, list) else []


def _limit(given: Any, most: int) -> int:
    value = given.get("limit")
    return min(max(value, 1), most) if isinstance(value, int) and not isinstance(value, bool) else most
