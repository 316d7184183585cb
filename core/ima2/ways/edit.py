"""``POST /api/edit``: change a picture, all of it or where a mask is transparent."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.media.convert import shrink
from ima2.media.sniff import PNG, media_type_of
from ima2.models import Artifact, Json, Picture
from ima2.ways.body import Body
from ima2.ways.choices import Choices, choose_look, choose_model, choose_moderation
from ima2.ways.diagnostics import flat
from ima2.ways.multimode import plain_code
from ima2.ways.pictures import PictureWay, Providers, require_prompt
from ima2.ways.references import decode, payload
from ima2.ways.way import Limits, Outcome, stamp

MAX_MASK = 16 << 20
_ALPHA = frozenset({4, 6})


class Edit(PictureWay):
    """One edit: one source, at most one mask, one result."""

    kind = "classic"

    def __init__(
        self,
        body: Body,
        provider: Provider,
        choices: Choices,
        source: Picture,
        mask: Picture | None,
        limits: Limits,
        fallback_id: str,
    ) -> None:
        super().__init__(body, provider, choices, limits, fallback_id)
        self.request = self.ask(source=source, mask=mask, plain=True)

    @classmethod
    def read(cls, fields: Mapping[str, Any], providers: Providers, limits: Limits, fallback_id: str) -> Edit:
        """Check a body in the reference's order: model and options, prompt and image, mask, moderation."""
        body = Body(fields)
        provider = providers(body.get("provider"))
        choices = choose_model(body, provider)
        if not provider.capabilities.edit:
            raise provider.unsupported("edit")
        if not body.get("prompt") or not body.get("image"):
            raise Ima2Error("INVALID_EDIT_INPUT", 400, "Prompt and image are required")
        require_prompt(body, limits)
        mask = _mask(body, provider)
        source = _source(body, limits, choices, masked=mask is not None)
        if mask is not None and _header(mask.data)[:2] != _header(source.data)[:2]:
            raise Ima2Error("EDIT_MASK_DIMENSION_MISMATCH", 400, "mask and image must have the same size in pixels")
        choose_look(body, provider, choices)
        choose_moderation(body, provider, choices)
        return cls(body, provider, choices, source, mask, limits, fallback_id)

    def meta(self) -> dict[str, Json]:
        asked = self.request
        return {
            "kind": "edit",
            "sessionId": self.session_id,
            "parentNodeId": None,
            "clientNodeId": self.client_node_id,
            "quality": asked.quality,
            "model": asked.model,
            "size": asked.size,
        }

    def end_meta(self, outcome: Outcome) -> dict[str, Json]:
        if not outcome.made:
            return {}
        kept = outcome.made[0].kept
        return {"filename": kept.key, "imageChars": (len(kept.picture.data) + 2) // 3 * 4}

    def key(self, index: int, extension: str, created_at: int) -> str:
        return f"{stamp(created_at, self.limits.name_bytes)}.{extension}"

    def sidecar(self, artifact: Artifact, created_at: int, format_name: str, outcome: Outcome) -> dict[str, Json]:
        own = {"kind": "edit", "sessionId": self.session_id, "clientNodeId": self.client_node_id}
        return {**own, **self.told(artifact, created_at, format_name, outcome)}

    def reply(self, outcome: Outcome) -> dict[str, Json]:
        return self.single(outcome)

    def refusal(self, error: Ima2Error, outcome: Outcome | None = None) -> dict[str, Json]:
        return {**flat(error, self.id, block=True), "code": plain_code(error)}


def _source(body: Body, limits: Limits, choices: Choices, *, masked: bool) -> Picture:
    value = body.get("image")
    if not isinstance(value, str):
        raise Ima2Error("INVALID_EDIT_IMAGE", 400, "image must be base64 text or a data URL")
    picture = decode(payload(value), "image", "INVALID_EDIT_IMAGE_BASE64", "INVALID_EDIT_IMAGE_PNG")
    if masked and picture.media_type != PNG:
        raise Ima2Error("INVALID_EDIT_IMAGE_PNG", 400, "image must be a PNG when a mask is given")
    small = picture if masked else shrink(picture.data, limits.reference_chars)
    if small is not picture and small.data != picture.data:
        choices.warn("SOURCE_COMPRESSED", "image", small.media_type, "larger-than-the-provider-takes")
    return small


def _mask(body: Body, provider: Provider) -> Picture | None:
    value = body.get("mask")
    if value is None:
        return None
    if not provider.capabilities.mask:
        raise Ima2Error(
            provider.capabilities.code("MASK_UNSUPPORTED"), 400, f"{provider.title} cannot edit with a mask."
        )
    if not isinstance(value, str) or not value:
        raise Ima2Error("INVALID_EDIT_MASK", 400, "mask must be a PNG as base64 text or data URL")
    if len(value) > MAX_MASK * 4 // 3 + 100:
        raise Ima2Error("EDIT_MASK_TOO_LARGE", 400, f"mask is larger than {MAX_MASK >> 20} MiB")
    mask = decode(payload(value), "mask", "INVALID_EDIT_MASK_BASE64", "INVALID_EDIT_MASK_PNG")
    if media_type_of(mask.data) != PNG or len(mask.data) < 33:
        raise Ima2Error("INVALID_EDIT_MASK_PNG", 400, "mask must be a PNG picture")
    if _header(mask.data)[2] not in _ALPHA:
        raise Ima2Error("EDIT_MASK_NO_ALPHA", 400, "mask must have an alpha channel: what is transparent is edited")
    return mask


def _header(png: bytes) -> tuple[int, int, int]:
    """Width, height and colour type, as the IHDR chunk states them (PNG, section 11.2.2)."""
    width, height = struct.unpack_from(">II", png, 16)
    return width, height, png[25]
