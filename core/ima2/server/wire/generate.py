"""``POST /api/generate``: independent candidates for one prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ima2.errors import Ima2Error
from ima2.interfaces import JobResult, Label, Studio
from ima2.models import ImageRequest, Json
from ima2.server.wire.errors import flat
from ima2.server.wire.image_body import ImageBody, read_common
from ima2.server.wire.picture_view import PictureView, listed
from ima2.server.wire.storyboard import storyboard_prompt

KIND = "classic"


def read(fields: Mapping[str, Any], studio: Studio, fallback_id: str) -> tuple[ImageRequest, Label]:
    """Check a body in the reference's order: provider, model and options, prompt, moderation, references."""
    body = ImageBody(fields, studio, fallback_id)
    read_common(body)
    body.identify()
    prompt = str(body.get("prompt"))
    request = body.request(
        references=body.sources(),
        prompt=storyboard_prompt(prompt) if body.get("storyboard") is True else prompt,
        count=body.count("n", body.able.max_count),
        partials=body.partials(),
    )
    used = studio.check(request).request
    meta = {
        "parentNodeId": None,
        "clientNodeId": body.client_node_id,
        "quality": request.quality,
        "model": used.model,
        "size": getattr(used, "size", request.size),
        "n": request.count,
        **body.reference_counts,
        **body.composer,
    }
    facts = {"kind": KIND, **body.composer, "refs_count": len(body.references.pictures)}
    return request, body.label(kind=KIND, facts=facts, meta=meta, direct=fields.get("async") is not True)


class GenerateView(PictureView):
    """One picture answers flat, several as a list."""

    first_phase = "streaming"

    def done(self, result: JobResult) -> dict[str, Json]:
        if self.request.count == 1:
            return self.single(result)
        head = {
            "images": [listed(output) for output in result.kept],
            "elapsed": result.elapsed,
            "count": len(result.kept),
            "requested": self.request.count,
            "failures": [{"index": one.index, "code": getattr(one.error, "code", "UNKNOWN")} for one in result.failed],
            "requestId": result.id,
        }
        return {**head, **self.common(result)}

    def error(self, error: Ima2Error, result: JobResult | None = None) -> dict[str, Json]:
        return flat(error, self.label.id, block=True)
