"""What the answers of all routes for clips have in common."""

from __future__ import annotations

from collections.abc import Mapping

from ima2.errors import Ima2Error
from ima2.interfaces import JobResult, JobView, Label, Output, Request
from ima2.models import Artifact, Json, Receipt, VideoRequest
from ima2.server.wire import lineage

MODES = {
    "text": "text-to-video",
    "image": "image-to-video",
    "reference": "reference-to-video",
    "edit": "video-edit",
    "extend": "video-extend",
}


class VideoView(JobView):
    """A job of one clip as its clients read it. ``extra`` of the label holds what is known beside the request:
    ``prompt``, ``lineage``, ``parent``, ``source_frame`` and what a route adds."""

    request: VideoRequest

    def __init__(self, request: Request | None, label: Label) -> None:
        super().__init__(request, label)
        assert isinstance(request, VideoRequest)

    def started(self) -> tuple[str, Mapping[str, Json]] | None:
        return None

    def ordered(self, receipt: Receipt) -> tuple[str, dict[str, Json]]:
        requested = receipt.data.get("requestedModel") or self.request.model
        models = {
            "requestedModel": requested,
            "effectiveModel": receipt.data.get("effectiveModel") or requested,
            "modelFallback": receipt.data.get("modelFallback"),
        }
        return "submitted", {**receipt.facts, **models}

    def facts(self, artifact: Artifact, result: JobResult) -> dict[str, Json]:
        output, prompt = result.kept[0], self.label.extra["prompt"]
        return {
            "kind": "video",
            "provider_url": artifact.url,
            "prompt": prompt,
            "user_prompt": prompt,
            **self.models(artifact),
            "model": self.models(artifact)["effectiveModel"],
            "videoContinuity": self._continuity(output),
        }

    def error(self, error: Ima2Error, result: JobResult | None = None) -> dict[str, Json]:
        plain = {"error": error.text, "code": error.code, "status": error.status, "requestId": self.label.id}
        return {**plain, **error.details}

    def record(self, result: JobResult, error: Ima2Error | None = None) -> dict[str, Json]:
        if result.kept:
            return {"filename": result.kept[0].key}
        url = error.details.get("providerUrl") if error else None
        return {"providerUrl": url} if url else {}

    # -- parts -------------------------------------------------------------------------------------

    def expected(self) -> float:
        """How long the clip should be, where the provider does not say how long it is. In seconds."""
        return float(self.request.duration)

    def duration(self, output: Output) -> Json:
        """Seconds of the clip as kept."""
        told = seconds(output.artifact.facts.get("duration"))
        cut = seconds(output.facts.get("trimmedSeconds", output.facts.get("trimmed_seconds"))) or 0.0
        rest = max(0.0, (self.expected() if told is None else told) - cut)
        return int(rest) if rest == int(rest) else round(rest, 3)

    def models(self, artifact: Artifact) -> dict[str, Json]:
        """Which model was asked for and which made it."""
        facts = artifact.facts
        requested = facts.get("requestedModel") or self.request.model
        effective = facts.get("effectiveModel") or artifact.model or requested
        return {"requestedModel": requested, "effectiveModel": effective, "modelFallback": facts.get("modelFallback")}

    def _continuity(self, output: Output) -> dict[str, Json]:
        extra, prompt = self.label.extra, str(self.label.extra["prompt"])
        revised = output.artifact.revised_prompt or prompt
        clip = lineage.entry(output.key, prompt, revised, output.created_at, "current")
        before = lineage.stored({"videoContinuity": extra["lineage"]}, "") if extra.get("lineage") else None
        return lineage.continued(before, clip, extra.get("parent"), extra.get("source_frame"))


def upstream_id(result: JobResult) -> str | None:
    """The upstream's own id of the work."""
    return result.receipt.id if result.receipt else None


def seconds(value: Json) -> float | None:
    """A length that is a number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
