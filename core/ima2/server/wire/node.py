"""``POST /api/node/generate``: a node of a graph, from words alone or from a parent picture."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ima2.contracts import Storage
from ima2.errors import CANCELED, Ima2Error
from ima2.interfaces import JobResult, Label, Studio
from ima2.keys import is_key
from ima2.library.rows import extension_of
from ima2.media.sniff import MEDIA_TYPES, media_type_of
from ima2.models import Artifact, ImageRequest, Json, Picture
from ima2.server.wire.body import Body
from ima2.server.wire.errors import upstream
from ima2.server.wire.gallery_inputs import frame
from ima2.server.wire.image_body import ImageBody
from ima2.server.wire.picture_view import PictureView, single_record
from ima2.server.wire.references import References

KIND = "node"
NODE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
CONTEXTS = ("parent-plus-refs", "parent-only")
SEARCHES = ("on", "auto", "off")
_BLOCK = ("errorEventType errorEventCount diagnosticReason retryKind referencesDroppedOnRetry").split()


@dataclass(frozen=True, slots=True)
class Parent:
    """What a node grows from: a stored node (``node_id``) or a file of the gallery."""

    picture: Picture
    node_id: str | None = None


async def read(
    fields: Mapping[str, Any], studio: Studio, storage: Storage, fallback_id: str, *, node_bytes: int, stream: bool
) -> tuple[ImageRequest, Label]:
    """Check a body in the reference's order: model and options, context, prompt, references, moderation, parent."""
    body = ImageBody(fields, studio, fallback_id)
    body.choose_provider()
    body.choose_model()
    if body.get("contextMode") == "ancestry":
        raise Ima2Error("CONTEXT_MODE_UNSUPPORTED", 400, "Ancestry as context is not supported.")
    try:
        body.require_prompt()
    except Ima2Error as error:
        code = "INVALID_PROMPT" if error.code == "PROMPT_REQUIRED" else error.code
        raise Ima2Error(code, 400, error.text) from None
    body.read_references()
    body.choose_image_options()
    body.choose_moderation()
    parent = await find_parent(body, storage)
    body.identify()
    context, search = _one_of(body.get("contextMode"), CONTEXTS), _one_of(body.get("searchMode"), SEARCHES)
    if search == "off" and "webSearch" in body.options:
        body.options["webSearch"] = False
    if context == "parent-only":
        body.references = References()
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


class NodeView(PictureView):
    """One node; its id is ``n_<hex>`` and names its file."""

    @property
    def node_id(self) -> str:
        """The id of the node."""
        return self.label.name

    def facts(self, artifact: Artifact, result: JobResult) -> dict[str, Json]:
        asked, output = self.request, next(one for one in result.kept if one.index == artifact.index)
        stamp = datetime.fromtimestamp(output.created_at / 1000, UTC).isoformat(timespec="milliseconds")
        return {
            "node_id": self.node_id,
            "options": {
                "quality": asked.quality,
                "size": asked.size,
                "format": output.facts.get("format"),
                "moderation": asked.moderation,
            },
            "created_at_iso": stamp.replace("+00:00", "Z"),
        }

    def done(self, result: JobResult) -> dict[str, Json]:
        output, extra = result.kept[0], self.label.extra
        return {
            "nodeId": self.node_id,
            "node": {"id": self.node_id},
            "parentNodeId": extra["parentNodeId"],
            "requestId": result.id,
            "image": output.picture,
            "filename": output.key,
            "url": output.url,
            "elapsed": result.elapsed,
            "createdAt": output.created_at,
            **self.common(result),
            "model": output.artifact.model or self.request.model,
            "refsCount": extra["refs_count"],
            "contextMode": extra["contextMode"],
            "searchMode": extra["searchMode"],
        }

    def record(self, result: JobResult, error: Ima2Error | None = None) -> Mapping[str, Json]:
        return {"nodeId": self.node_id, **single_record(result)} if result.kept else {}

    def error(self, error: Ima2Error, result: JobResult | None = None) -> dict[str, Json]:
        extra = self.label.extra
        counts = {"refsCount": extra["refs_count"], "inputImageCount": extra["inputs"]} if result else None
        return node_error(error, extra["parentNodeId"], self.label.id, counts)


def node_error(
    error: Ima2Error, parent_id: str | None, request_id: str, counts: Mapping[str, int] | None = None
) -> dict[str, Json]:
    """The nested error shape of nodes, with the top-level ``code`` that capacity retries look for. ``counts`` of the
    inputs are there once the work had begun."""
    body: dict[str, Json] = {
        "error": {"code": error.code, "message": error.text},
        "parentNodeId": parent_id,
        "status": error.status,
        "code": error.code,
        "message": error.text,
        "requestId": request_id,
        **upstream(error),
    }
    if counts is not None and error.code != CANCELED:
        body["upstreamCode"] = error.upstream_code or error.code
        body |= {**{name: error.details.get(name) for name in _BLOCK}, **counts}
    return body


def parent_id_of(body: Body) -> str | None:
    """The parent as the client names it, if it is a plausible id."""
    value = body.get("parentNodeId")
    return value if isinstance(value, str) and NODE_ID.fullmatch(value) else None


async def find_parent(body: Body, storage: Storage) -> Parent | None:
    """The picture to grow from: a stored node, else a file of the gallery. 404 ``NODE_NOT_FOUND``, 400
    ``NODE_SOURCE_INVALID``."""
    node_id, source = body.get("parentNodeId"), body.get("externalSrc")
    if node_id is not None and node_id != "":
        if not isinstance(node_id, str) or not NODE_ID.fullmatch(node_id):
            raise Ima2Error("NODE_NOT_FOUND", 404, "There is no such node.")
        key = await key_of(node_id, storage)
        if key is None:
            raise Ima2Error("NODE_NOT_FOUND", 404, "The node's picture is not in the gallery.")
        return Parent(await _picture(key, storage), node_id)
    if source is None or source == "":
        return None
    if not isinstance(source, str) or not is_key(source) or MEDIA_TYPES.get(extension_of(source)) is None:
        raise Ima2Error("NODE_SOURCE_INVALID", 400, "externalSrc must name a picture inside the gallery.")
    return Parent(await _picture(source, storage))


async def key_of(node_id: str, storage: Storage) -> str | None:
    """The file of a stored node, whichever format it has. The page names a clip's node after its file."""
    for extension in ("png", "jpeg", "webp", "jpg", "mp4"):
        try:
            await storage.stat(f"{node_id}.{extension}")
        except KeyError:
            continue
        return f"{node_id}.{extension}"
    return None


async def _picture(key: str, storage: Storage) -> Picture:
    """The picture of a file; of a clip its last frame."""
    if extension_of(key) == "mp4":
        return await _last_frame(key, storage)
    try:
        data = await storage.get(key)
    except KeyError:
        raise Ima2Error("NODE_NOT_FOUND", 404, "The picture is not in the gallery.") from None
    media_type = media_type_of(data)
    if media_type is None or not media_type.startswith("image/"):
        raise Ima2Error("NODE_SOURCE_INVALID", 400, "The source is no PNG, JPEG or WebP picture.")
    return Picture(data, media_type)


async def _last_frame(key: str, storage: Storage) -> Picture:
    try:
        return await frame(storage, key)
    except Ima2Error as error:
        code = "NODE_NOT_FOUND" if error.status == 404 else "NODE_SOURCE_INVALID"
        raise Ima2Error(code, error.status, error.text) from None


def _one_of(value: Any, allowed: tuple[str, ...]) -> str:
    return value if isinstance(value, str) and value in allowed else allowed[0]
