"""How a node's job reads to its clients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import ima2
from ima2 import web

KIND = "node"
CANCELED = "GENERATION_CANCELED"
_BLOCK = "errorEventType errorEventCount diagnosticReason retryKind referencesDroppedOnRetry".split()


class NodeView(web.PictureView):
    """One node; its id is ``n_<hex>`` and names its file."""

    @property
    def node_id(self) -> str:
        """The id of the node."""
        return self.label.name

    def facts(self, artifact: ima2.Artifact, result: ima2.JobResult) -> dict[str, ima2.Json]:
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

    def done(self, result: ima2.JobResult) -> dict[str, ima2.Json]:
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

    def record(self, result: ima2.JobResult, error: ima2.Ima2Error | None = None) -> Mapping[str, ima2.Json]:
        return {"nodeId": self.node_id, **web.single_record(result)} if result.kept else {}

    def error(self, error: ima2.Ima2Error, result: ima2.JobResult | None = None) -> dict[str, ima2.Json]:
        extra = self.label.extra
        counts = {"refsCount": extra["refs_count"], "inputImageCount": extra["inputs"]} if result else None
        return node_error(error, extra["parentNodeId"], self.label.id, counts)


def node_error(
    error: ima2.Ima2Error, parent_id: str | None, request_id: str, counts: Mapping[str, int] | None = None
) -> dict[str, ima2.Json]:
    """The nested error shape of nodes, with the top-level ``code`` that capacity retries look for. ``counts`` of the
    inputs are there once the work had begun."""
    body: dict[str, ima2.Json] = {
        "error": {"code": error.code, "message": error.text},
        "parentNodeId": parent_id,
        "status": error.status,
        "code": error.code,
        "message": error.text,
        "requestId": request_id,
        **web.upstream_labels(error),
    }
    if counts is not None and error.code != CANCELED:
        body["upstreamCode"] = error.upstream_code or error.code
        body |= {**{name: error.details.get(name) for name in _BLOCK}, **counts}
    return body
