"""``/api/prompts/templates/…``: expanding without running anything, and the lists."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.prompts.fields import TEXT_CHARS
from ima2_plugins.prompts.templates.expansion import expand, variants
from ima2_plugins.prompts.templates.lists import Lists
from ima2_plugins.prompts.templates.syntax import Wish, wish

MOST_VARIANTS, MOST_SEED = 200, 10**15
LIST_BYTES = 4 * 2**20


def template_router(lists: Callable[[], Lists]) -> APIRouter:
    """Templates and their lists."""
    router = APIRouter(prefix="/api/prompts/templates", tags=["prompts"])

    @router.post("/expand", summary="Show what a template gives")
    async def show(request: Request) -> web.Json:
        """``text``, and ``seed``, ``count``, ``index`` of the first. Without ``count`` every line of a list that wants
        ``:each`` comes once. Nothing is run."""
        given = await web.read_json(request)
        return web.Json(await asyncio.to_thread(expansions, given, lists()))

    @router.get("/lists", summary="The lists that templates draw from")
    async def all_lists() -> web.Json:
        """Names and numbers of lines."""
        return web.Json(await asyncio.to_thread(lists().all))

    @router.get("/lists/{name}", summary="The lines of a list")
    async def lines(name: str) -> web.Json:
        """As templates see them."""
        return web.Json({"name": name, "lines": await asyncio.to_thread(lists().lines, name)})

    @router.put("/lists/{name}", summary="Write a list")
    async def write(name: str, request: Request) -> web.Json:
        """``lines``."""
        given = (await web.read_json(request, LIST_BYTES)).get("lines")
        count = await asyncio.to_thread(lists().write, name, given if isinstance(given, list) else [])
        return web.Json({"name": name, "lines": count})

    @router.delete("/lists/{name}", summary="Remove a list")
    async def delete(name: str) -> web.Json:
        """400 ``TEMPLATE_LIST_NOT_FOUND``."""
        await asyncio.to_thread(lists().delete, name)
        return web.Json({"ok": True})

    return router


def expansions(given: Mapping[str, Any], lists: Lists) -> dict[str, Any]:
    """Variants of a template, each with the seed and index that give it again."""
    text = given.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > TEXT_CHARS:
        raise ima2.Ima2Error("TEXT_REQUIRED", 400, "text is required")
    asked = wish(text) or Wish(text)
    seed = _number(given.get("seed"), asked.seed, "seed", MOST_SEED)
    seed = secrets.randbelow(2**32) if seed is None else seed
    first = _number(given.get("index"), asked.index, "index", MOST_SEED) or 0
    known: dict[str, list[str]] = {}

    def read(name: str) -> list[str]:
        return known.get(name) or known.setdefault(name, lists.lines(name))

    wanted = variants(asked.text, read)
    count = _number(given.get("count"), min(wanted, MOST_VARIANTS), "count", MOST_VARIANTS) or 1
    rows = [expand(asked.text, seed, first + place, read) for place in range(count)]
    shown = [{"prompt": r.prompt, "seed": r.seed, "index": r.index, "choices": list(r.choices)} for r in rows]
    return {"seed": seed, "variants": wanted, "prompts": shown}


def _number(value: Any, default: int | None, name: str, most: int) -> int | None:
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ima2.Ima2Error(f"{name.upper()}_INVALID", 400, f"{name} is a whole number from 0 to {most}")
    return value
