"""``POST /api/edit``: change a picture, all of it or where a mask is transparent."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from ima2.errors import Ima2Error
from ima2.interfaces import JobResult, Label, Studio
from ima2.media.convert import shrink
from ima2.media.sniff import PNG, media_type_of
from ima2.models import ImageRequest, Json, Picture
from ima2.server.wire.errors import flat, moderation_refused, unsorted_code
from ima2.server.wire.image_body import ImageBody
from ima2.server.wire.picture_view import PictureView, single_record
from ima2.server.wire.references import decode, payload

KIND, VIEW = "classic", "edit"
MAX_MASK = 16 << 20
_ALPHA = frozenset({4, 6})


def read(fields: Mapping[str, Any], studio: Studio, fallback_id: str) -> tuple[ImageRequest, Label]:
    """Check a body in the reference's order: model and options, prompt and image, mask, moderation."""
    body = ImageBody(fields, studio, fallback_id)
    body.choose_provider()
    body.choose_model()
    if not body.able.edit:
        raise body.provider.unsupported("edit")
    if not body.get("prompt") or not body.get("image"):
        raise Ima2Error("INVALID_EDIT_INPUT", 400, "Prompt and image are required")
    body.require_prompt()
    mask = _mask(body)
    source = _source(body, masked=mask is not None)
    if mask is not None and _header(mask.data)[:2] != _header(source.data)[:2]:
        raise Ima2Error("EDIT_MASK_DIMENSION_MISMATCH", 400, "mask and image must have the same size in pixels")
    body.choose_image_options()
    body.choose_moderation()
    body.identify()
    request = body.request(source=source, mask=mask, plain=True)
    used = studio.check(request).request
    meta = {
        "kind": "edit",
        "parentNodeId": None,
        "clientNodeId": body.client_node_id,
        "quality": request.quality,
        "model": used.model,
        "size": getattr(used, "size", request.size),
    }
    label = body.label(kind=KIND, view=VIEW, name="{ms}_{hex}", facts={"kind": "edit"}, meta=meta, direct=True)
    return request, label


class EditView(PictureView):
    """One picture."""

    def started(self) -> tuple[str, dict[str, Json]] | None:
        return "phase", {"phase": "streaming"}

    def done(self, result: JobResult) -> dict[str, Json]:
        """As of every single picture; as in the reference the model is the one that did the work."""
        return {**self.single(result), "model": result.kept[0].artifact.model or self.request.model}

    def record(self, result: JobResult, error: Ima2Error | None = None) -> Mapping[str, Json]:
        return single_record(result)

    def translate(self, error: Ima2Error) -> Ima2Error:
        return moderation_refused(error)

    def error(self, error: Ima2Error, result: JobResult | None = None) -> dict[str, Json]:
        return {**flat(error, self.label.id, block=True), "code": unsorted_code(error)}


def _source(body: ImageBody, *, masked: bool) -> Picture:
    value = body.get("image")
    if not isinstance(value, str):
        raise Ima2Error("INVALID_EDIT_IMAGE", 400, "image must be base64 text or a data URL")
    picture = decode(payload(value), "image", "INVALID_EDIT_IMAGE_BASE64", "INVALID_EDIT_IMAGE_PNG")
    if masked and picture.media_type != PNG:
        raise Ima2Error("INVALID_EDIT_IMAGE_PNG", 400, "image must be a PNG when a mask is given")
    small = picture if masked else shrink(picture.data, body.limits.reference_chars)
    if small is not picture and small.data != picture.data:
        body.warn("SOURCE_COMPRESSED", "image", small.media_type, "larger-than-the-provider-takes")
    return small


def _mask(body: ImageBody) -> Picture | None:
    value = body.get("mask")
    if value is None:
        return None
    if not body.able.mask:
        raise Ima2Error(body.able.code("MASK_UNSUPPORTED"), 400, f"{body.provider.title} cannot edit with a mask.")
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
