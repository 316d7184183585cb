"""``POST /api/node/generate``: a node of a graph, from words alone or from a parent picture."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ima2
from ima2 import web
from ima2_plugins.graph.node_view import KIND

NODE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
CONTEXTS = ("parent-plus-refs", "parent-only")
SEARCHES = ("on", "auto", "off")


@dataclass(frozen=True, slots=True)
class Parent:
    """What a node grows from: a stored node (``node_id``) or a file of the gallery."""

    picture: ima2.Picture
    node_id: str | None = None


async def read(
    fields: Mapping[str, Any],
    studio: ima2.Studio,
    storage: ima2.Storage,
    fallback_id: str,
    *,
    node_bytes: int,
    stream: bool,
) -> tuple[ima2.ImageRequest, ima2.Label]:
    """Check a body in the reference's order: model and options, context, prompt, references, moderation, parent."""
    body = web.ImageBody(fields, studio, fallback_id)
    body.choose_provider()
    body.choose_model()
    if body.get("contextMode") == "ancestry":
        raise ima2.Ima2Error("CONTEXT_MODE_UNSUPPORTED", 400, "Ancestry as context is not supported.")
    try:
        body.require_prompt()
    except ima2.Ima2Error as error:
        code = "INVALID_PROMPT" if error.code == "PROMPT_REQUIRED" else error.code
        raise ima2.Ima2Error(code, 400, error.text) from None
    body.read_references()
    body.choose_image_options()
    body.choose_moderation()
    parent = await find_parent(body, storage)
    body.identify()
    context, search = _one_of(body.get("contextMode"), CONTEXTS), _one_of(body.get("searchMode"), SEARCHES)
    if search == "off" and "webSearch" in body.options:
        body.options["webSearch"] = False
    if context == "parent-only":
        body.references = web.References()
    taken = 1 if parent is not None and not body.able.source_is_extra else 0
    wants_json = body.get("async") is not True and not stream
    request = body.request(
        references=body.sources(taken),
        source=parent.picture if parent else None,
        partials=body.partials(0 if parent or wants_json else 2),
    )
    studio.check(request)
    own = {"parentNodeId": parent_id_of(body), "contextMode": context, "searchMode": search}
    count = len(body.references.pictures)
    label = body.label(
        kind=KIND,
        parent=parent_id_of(body),
        name=f"n_{secrets.token_hex(node_bytes)}",
        facts={**own, "kind": "edit" if parent else "generate", "refs_count": count},
        meta={**own, "clientNodeId": body.client_node_id, **body.reference_counts},
        extra={**own, "refs_count": count, "inputs": count + (parent is not None)},
    )
    return request, label


def parent_id_of(body: web.Body) -> str | None:
    """The parent as the client names it, if it is a plausible id."""
    value = body.get("parentNodeId")
    return value if isinstance(value, str) and NODE_ID.fullmatch(value) else None


async def find_parent(body: web.Body, storage: ima2.Storage) -> Parent | None:
    """The picture to grow from: a stored node, else a file of the gallery. 404 ``NODE_NOT_FOUND``, 400
    ``NODE_SOURCE_INVALID``."""
    node_id, source = body.get("parentNodeId"), body.get("externalSrc")
    if node_id is not None and node_id != "":
        if not isinstance(node_id, str) or not NODE_ID.fullmatch(node_id):
            raise ima2.Ima2Error("NODE_NOT_FOUND", 404, "There is no such node.")
        key = await key_of(node_id, storage)
        if key is None:
            raise ima2.Ima2Error("NODE_NOT_FOUND", 404, "The node's picture is not in the gallery.")
        return Parent(await _picture(key, storage), node_id)
    if source is None or source == "":
        return None
    if not isinstance(source, str) or not web.is_media_key(source):
        raise ima2.Ima2Error("NODE_SOURCE_INVALID", 400, "externalSrc must name a picture inside the gallery.")
    return Parent(await _picture(source, storage))


async def key_of(node_id: str, storage: ima2.Storage) -> str | None:
    """The file of a stored node, whichever format it has. The page names a clip's node after its file."""
    for extension in ("png", "jpeg", "webp", "jpg", "mp4"):
        try:
            await storage.stat(f"{node_id}.{extension}")
        except KeyError:
            continue
        return f"{node_id}.{extension}"
    return None


async def _picture(key: str, storage: ima2.Storage) -> ima2.Picture:
    """The picture of a file; of a clip its last frame."""
    if key.lower().endswith(".mp4"):
        return await _last_frame(key, storage)
    try:
        data = await storage.get(key)
    except KeyError:
        raise ima2.Ima2Error("NODE_NOT_FOUND", 404, "The picture is not in the gallery.") from None
    media_type = ima2.media_type_of(data)
    if media_type is None or not media_type.startswith("image/"):
        raise ima2.Ima2Error("NODE_SOURCE_INVALID", 400, "The source is no PNG, JPEG or WebP picture.")
    return ima2.Picture(data, media_type)


async def _last_frame(key: str, storage: ima2.Storage) -> ima2.Picture:
    try:
        return await web.gallery_frame(storage, key)
    except ima2.Ima2Error as error:
        code = "NODE_NOT_FOUND" if error.status == 404 else "NODE_SOURCE_INVALID"
        raise ima2.Ima2Error(code, error.status, error.text) from None


def _one_of(value: Any, allowed: tuple[str, ...]) -> str:
    return value if isinstance(value, str) and value in allowed else allowed[0]
