"""``POST /api/node/generate``: a node of a graph, from words alone or from a parent picture."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ima2.contracts import Provider, Storage
from ima2.errors import CANCELED, Ima2Error
from ima2.keys import is_key
from ima2.library.rows import extension_of
from ima2.media.sniff import MEDIA_TYPES, media_type_of
from ima2.models import Artifact, Json, Picture
from ima2.ways.body import Body
from ima2.ways.choices import Choices, choose_look, choose_model, choose_moderation
from ima2.ways.diagnostics import upstream
from ima2.ways.footage import still
from ima2.ways.pictures import PictureWay, Providers, read_partials, read_sources, require_prompt
from ima2.ways.references import References, read_references
from ima2.ways.way import Limits, Outcome

NODE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
CONTEXTS = ("parent-plus-refs", "parent-only")
SEARCHES = ("on", "auto", "off")
_BLOCK = (
    "errorEventType errorEventCount diagnosticReason retryKind referencesDroppedOnRetry refsCount inputImageCount"
).split()


@dataclass(frozen=True, slots=True)
class Parent:
    """What a node grows from: a stored node (``node_id``) or a file of the gallery."""

    picture: Picture
    node_id: str | None = None


class Node(PictureWay):
    """One node. ``node_id`` is ``n_<hex>`` and names its file."""

    kind = "node"

    def __init__(
        self,
        body: Body,
        provider: Provider,
        choices: Choices,
        references: References,
        parent: Parent | None,
        limits: Limits,
        fallback_id: str,
    ) -> None:
        super().__init__(body, provider, choices, limits, fallback_id)
        self.node_id = f"n_{secrets.token_hex(limits.node_bytes)}"
        self.parent_id = parent_id_of(body)
        self.context = _one_of(body.get("contextMode"), CONTEXTS)
        self.search = _one_of(body.get("searchMode"), SEARCHES)
        if self.search == "off" and "webSearch" in choices.options:
            choices.options["webSearch"] = False
        self.references = References() if self.context == "parent-only" else references
        taken = 1 if parent is not None and not provider.capabilities.source_is_extra else 0
        self.request = self.ask(
            read_sources(body, provider, choices, self.references, taken=taken),
            source=parent.picture if parent else None,
            partials=read_partials(body, provider, default=0 if parent or wants_json(body) else 2),
        )

    @classmethod
    async def read(
        cls,
        fields: Mapping[str, Any],
        providers: Providers,
        storage: Storage,
        limits: Limits,
        fallback_id: str,
    ) -> Node:
        """Check a body in the reference's order: model and options, context, prompt, references, moderation, parent."""
        body = Body(fields)
        provider = providers(body.get("provider"))
        choices = choose_model(body, provider)
        if body.get("contextMode") == "ancestry":
            raise Ima2Error("CONTEXT_MODE_UNSUPPORTED", 400, "Ancestry as context is not supported.")
        try:
            require_prompt(body, limits)
        except Ima2Error as error:
            code = "INVALID_PROMPT" if error.code == "PROMPT_REQUIRED" else error.code
            raise Ima2Error(code, 400, error.text) from None
        references = read_references(
            body.get("references"), max_count=limits.references, max_chars=limits.reference_chars
        )
        choose_look(body, provider, choices)
        choose_moderation(body, provider, choices)
        parent = await find_parent(body, storage)
        return cls(body, provider, choices, references, parent, limits, fallback_id)

    def meta(self) -> dict[str, Json]:
        return {
            "kind": "node",
            "sessionId": self.session_id,
            "parentNodeId": self.parent_id,
            "clientNodeId": self.client_node_id,
            **self.references.counts,
        }

    def end_meta(self, outcome: Outcome) -> dict[str, Json]:
        if not outcome.made:
            return {}
        kept = outcome.made[0].kept
        return {"nodeId": self.node_id, "filename": kept.key, "imageChars": (len(kept.picture.data) + 2) // 3 * 4}

    def key(self, index: int, extension: str, created_at: int) -> str:
        return f"{self.node_id}.{extension}"

    def sidecar(self, artifact: Artifact, created_at: int, format_name: str, outcome: Outcome) -> dict[str, Json]:
        asked = self.request
        look = {"quality": asked.quality, "size": asked.size, "format": format_name, "moderation": asked.moderation}
        stamp = datetime.fromtimestamp(created_at / 1000, UTC).isoformat(timespec="milliseconds")
        return {
            "nodeId": self.node_id,
            "parentNodeId": self.parent_id,
            "sessionId": self.session_id,
            "clientNodeId": self.client_node_id,
            **self.told(artifact, created_at, format_name, outcome),
            "options": look,
            "createdAtIso": stamp.replace("+00:00", "Z"),
            "contextMode": self.context,
            "searchMode": self.search,
            "kind": "edit" if asked.source is not None else "generate",
            "refsCount": len(self.references.pictures),
        }

    def reply(self, outcome: Outcome) -> dict[str, Json]:
        made = outcome.made[0]
        return {
            "nodeId": self.node_id,
            "node": {"id": self.node_id},
            "parentNodeId": self.parent_id,
            "requestId": self.id,
            "image": made.kept.picture,
            "filename": made.kept.key,
            "url": made.kept.url,
            "elapsed": outcome.elapsed,
            "createdAt": made.created_at,
            **self.common(outcome),
            "model": made.artifact.model or self.request.model,
            "refsCount": len(self.references.pictures),
            "contextMode": self.context,
            "searchMode": self.search,
        }

    def refusal(self, error: Ima2Error, outcome: Outcome | None = None) -> dict[str, Json]:
        return node_error(error, self.parent_id, self.id, began=outcome is not None)


def node_error(error: Ima2Error, parent_id: str | None, request_id: str, *, began: bool = False) -> dict[str, Json]:
    """The nested error shape of nodes, with the top-level ``code`` that capacity retries look for."""
    body: dict[str, Json] = {
        "error": {"code": error.code, "message": error.text},
        "parentNodeId": parent_id,
        "status": error.status,
        "code": error.code,
        "message": error.text,
        "requestId": request_id,
        **upstream(error),
    }
    if began and error.code != CANCELED:
        body["upstreamCode"] = error.upstream_code or error.code
        body |= {name: error.details.get(name) for name in _BLOCK}
    return body


def parent_id_of(body: Body) -> str | None:
    """The parent as the client names it, if it is a plausible id."""
    value = body.get("parentNodeId")
    return value if isinstance(value, str) and NODE_ID.fullmatch(value) else None


def wants_json(body: Body) -> bool:
    """Whether the answer is one JSON document, so that previews would reach nobody."""
    return body.get("async") is not True and body.get("_stream") is not True


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
        return await still(storage, key)
    except Ima2Error as error:
        code = "NODE_NOT_FOUND" if error.status == 404 else "NODE_SOURCE_INVALID"
        raise Ima2Error(code, error.status, error.text) from None


def _one_of(value: Any, allowed: tuple[str, ...]) -> str:
    return value if isinstance(value, str) and value in allowed else allowed[0]
