"""``/api/prompts``: the library and its folders. Fixed paths come before those with an id."""

from __future__ import annotations

from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2_plugins.prompts import collection, folders, shelf

COLLECTION_BYTES = 50 * 2**20
"""A whole collection may travel in one request, as in ima2-gen."""


def folder_router(database: ima2.Sql) -> APIRouter:
    """Folders, export and import."""
    router = APIRouter(prefix="/api/prompts", tags=["prompts"])

    @router.get("/export", summary="Everything as one document")
    async def export() -> web.Json:
        """Folders and prompts without the trash, as ``POST /api/prompts/import`` takes them."""
        return web.Json(await database.read(collection.export))

    @router.post("/import", summary="Take a collection in")
    async def take_in(request: Request) -> web.Json:
        """One transaction. Entries that cannot be used are left out and named in ``skipped``."""
        given = await web.read_json(request, COLLECTION_BYTES)
        intake = await database.write(lambda connection: collection.take_in(connection, given))
        return web.Json(intake.answer)

    @router.get("/folders", summary="The folders")
    async def own_folders() -> web.Json:
        """By name, those of the system aside."""
        return web.Json({"folders": await database.read(folders.own_folders)})

    @router.post("/folders", summary="Make a folder", status_code=201)
    async def create_folder(request: Request) -> web.Json:
        """409 ``FOLDER_EXISTS`` where the parent has one of that name."""
        given = await web.read_json(request)
        made = await database.write(lambda connection: folders.create_folder(connection, given))
        return web.Json({"folder": made}, 201)

    @router.patch("/folders/{folder_id}", summary="Rename or move a folder")
    async def change_folder(folder_id: str, request: Request) -> web.Json:
        """``name``, ``parentId``. 404 ``FOLDER_NOT_FOUND``."""
        given = await web.read_json(request)
        changed = await database.write(lambda connection: folders.change_folder(connection, folder_id, given))
        return web.Json({"folder": changed})

    @router.delete("/folders/{folder_id}", summary="Remove a folder")
    async def delete_folder(folder_id: str, strategy: str = "moveToRoot") -> web.Json:
        """``strategy`` = ``deleteItems`` moves its prompts to the trash, anything else to the root."""
        items = strategy == "deleteItems"
        await database.write(lambda connection: folders.delete_folder(connection, folder_id, items=items))
        return web.Json({"ok": True})

    return router


def prompt_router(database: ima2.Sql) -> APIRouter:
    """Prompts one by one, and the list."""
    router = APIRouter(prefix="/api/prompts", tags=["prompts"])

    @router.get("", summary="Prompts and folders")
    async def find(search: str = "", folderId: str = "", favoritesOnly: str = "") -> web.Json:  # noqa: N803
        """The newest change first. Without ``folderId`` everything but the trash."""
        favorites = favoritesOnly in ("1", "true")
        found = await database.read(lambda c: shelf.find(c, search.strip(), folderId, favorites=favorites))
        return web.Json({"prompts": found, "folders": await database.read(folders.own_folders)})

    @router.post("", summary="Keep a prompt", status_code=201)
    async def create(request: Request) -> web.Json:
        """``text``, and ``name``, ``tags``, ``folderId``, ``mode``."""
        given = await web.read_json(request)
        return web.Json({"prompt": await database.write(lambda c: shelf.create(c, given))}, 201)

    @router.get("/{prompt_id}", summary="One prompt")
    async def get(prompt_id: str) -> web.Json:
        """404 ``PROMPT_NOT_FOUND``."""
        return web.Json({"prompt": await database.read(lambda c: shelf.get(c, prompt_id))})

    @router.patch("/{prompt_id}", summary="Change a prompt")
    async def change(prompt_id: str, request: Request) -> web.Json:
        """With ``If-Match`` and the prompt's ``version`` only when nobody changed it meanwhile (409
        ``PROMPT_CHANGED``, with the prompt as it is now)."""
        given = await web.read_json(request)
        seen = request.headers.get("if-match", "").removeprefix("W/").strip('" ')
        version = "" if seen == "*" else seen
        return web.Json({"prompt": await database.write(lambda c: shelf.change(c, prompt_id, given, version))})

    @router.delete("/{prompt_id}", summary="Move a prompt to the trash")
    async def trash(prompt_id: str) -> web.Json:
        """``folderId=__trash__`` lists what lies there."""
        await database.write(lambda c: shelf.trash(c, prompt_id))
        return web.Json({"ok": True})

    @router.post("/{prompt_id}/favorite", summary="Mark a prompt as a favourite, or no longer")
    async def favorite(prompt_id: str) -> web.Json:
        """404 ``PROMPT_NOT_FOUND``."""
        return web.Json(await database.write(lambda c: shelf.toggle_favorite(c, prompt_id)))

    return router
