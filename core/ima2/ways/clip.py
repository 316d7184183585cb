"""What all ways to a clip share: the order, the receipt that outlives a restart, and what is told of the result."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Self

from ima2.contracts import Job, Provider
from ima2.errors import Ima2Error
from ima2.jobs.record import Draft, JobRecord
from ima2.media.frames import cut_start
from ima2.media.sniff import MP4, media_type_of
from ima2.models import Artifact, Json, Picture, Receipt, Update, VideoRequest
from ima2.ways import continuity
from ima2.ways.script import Script
from ima2.ways.way import Limits, Outcome, Way

MODES = {
    "text": "text-to-video",
    "image": "image-to-video",
    "reference": "reference-to-video",
    "edit": "video-edit",
    "extend": "video-extend",
}
LEAD_IN_S = 1.0
"""Seconds of black at the start of a clip made from a storyboard."""


class Clip(Way):
    """One clip. With a ``receipt`` it is ordered already and only collected."""

    kind = "video"
    request: VideoRequest

    def __init__(
        self,
        job_id: str,
        provider: Provider,
        request: VideoRequest,
        script: Script,
        limits: Limits,
        *,
        warnings: Sequence[dict[str, Json]] = (),
        receipt: Receipt | None = None,
    ) -> None:
        self.id = job_id
        self.provider = provider
        self.request = request
        self.script = script
        self.session_id = script.session_id
        self.limits = limits
        self.warnings = list(warnings)
        self.receipt = receipt
        self.resumes = receipt is not None
        self._filename = ""
        self._cut = 0.0

    @classmethod
    def stored(cls, record: JobRecord, provider: Provider, limits: Limits) -> Self:
        """The way of a stored job. Raises ``KeyError`` or ``TypeError`` when its request is not complete."""
        kept = record.request
        request = VideoRequest(
            kept["prompt"],
            provider.id,
            kept["model"],
            kept["mode"],
            kept["duration"],
            kept["resolution"],
            kept["aspectRatio"],
            options=kept["options"],
        )
        return cls(record.id, provider, request, Script(**kept["script"]), limits, receipt=record.receipt)

    def draft(self) -> Draft:
        asked = self.request
        pictures = len(asked.references) + (asked.source is not None)
        data = {
            "prompt": asked.prompt,
            "provider": asked.provider,
            "model": asked.model,
            "mode": asked.mode,
            "duration": asked.duration,
            "resolution": asked.resolution,
            "aspectRatio": asked.aspect_ratio,
            "pictures": pictures,
            "options": dict(asked.options),
            "script": asdict(self.script),
        }
        return Draft(self.id, self.kind, self.script.prompt, self.meta(), data, session_id=self.session_id)

    def meta(self) -> dict[str, Json]:
        return {
            "kind": "video",
            "sessionId": self.session_id,
            "clientNodeId": self.script.client_node_id,
            "model": self.request.model,
            "mode": MODES[self.request.mode],
            "duration": self.request.duration,
            "resolution": self.request.resolution,
        }

    def end_meta(self, outcome: Outcome) -> dict[str, Json]:
        if outcome.made:
            return {"filename": outcome.made[0].kept.key}
        url = outcome.error.details.get("providerUrl") if outcome.error else None
        return {"providerUrl": url} if url else {}

    # -- the work --------------------------------------------------------------------------------

    def updates(self, job: Job) -> AsyncIterator[Update]:
        if self.receipt is not None:
            job.receipt = self.receipt
            return self.provider.resume(self.receipt, self.request, job)
        return self.provider.videos(self.request, job)

    def noted(self, update: Receipt | Artifact) -> dict[str, Json]:
        if isinstance(update, Receipt):
            return {"xaiVideoRequestId": update.id}
        return {"providerUrl": update.url} if update.url else {}

    def event_of(self, receipt: Receipt) -> tuple[str, dict[str, Json]] | None:
        if self.receipt is not None:
            return None
        self.receipt = receipt
        requested = receipt.data.get("requestedModel") or self.request.model
        told = {
            "xaiVideoRequestId": receipt.id,
            "requestedModel": requested,
            "effectiveModel": receipt.data.get("effectiveModel") or requested,
            "modelFallback": receipt.data.get("modelFallback"),
        }
        return "submitted", told

    async def as_asked(self, artifact: Artifact, outcome: Outcome) -> tuple[Picture, dict[str, Json]]:
        """The clip, without the black lead-in if it was made from a storyboard. A clip that cannot be cut is kept
        whole."""
        clip = artifact.picture
        if media_type_of(clip.data) != MP4:
            raise Ima2Error("PROVIDER_ANSWER_INVALID", 502, "The provider sent something that is no MP4 clip.")
        if not self.script.storyboard:
            return Picture(clip.data, MP4), {}
        try:
            clip, self._cut = await cut_start(clip, LEAD_IN_S), LEAD_IN_S
        except Ima2Error as error:
            text = f"The black start of the clip could not be cut off; the clip was kept whole. {error.text}"
            outcome.warnings.append({"code": "STORYBOARD_NOT_TRIMMED", "message": text})
            return Picture(clip.data, MP4), {}
        return clip, {"trimmedSeconds": LEAD_IN_S}

    def nothing(self) -> Ima2Error:
        code = self.provider.capabilities.code("VIDEO_EMPTY_RESPONSE")
        return Ima2Error(code, 502, "The provider ended without a clip. Try again.")

    # -- what is told ----------------------------------------------------------------------------

    def key(self, index: int, extension: str, created_at: int) -> str:
        """A name that follows from the order, so that a clip which is collected twice (the process died just when it
        was kept) is one file."""
        ordered = f"{self.id} {self.receipt.id}" if self.receipt else secrets.token_hex(16)
        number = hashlib.sha256(ordered.encode()).hexdigest()[: 2 * self.limits.name_bytes]
        self._filename = f"{self.script.at}_{number}.{extension}"
        return self._filename

    def refusal(self, error: Ima2Error, outcome: Outcome | None = None) -> dict[str, Json]:
        return {
            "error": error.text,
            "code": error.code,
            "status": error.status,
            "requestId": self.id,
            **error.details,
        }

    def duration(self, artifact: Artifact) -> Json:
        """Seconds of the clip as kept."""
        made = seconds(artifact.facts.get("duration"))
        rest = max(0.0, (self.expected() if made is None else made) - self._cut)
        return int(rest) if rest == int(rest) else round(rest, 3)

    def expected(self) -> float:
        """How long the clip should be, where the provider does not say how long it is. In seconds."""
        return float(self.request.duration)

    def models(self, artifact: Artifact) -> dict[str, Json]:
        """Which model was asked for and which made it."""
        facts = artifact.facts
        requested = facts.get("requestedModel") or self.request.model
        effective = facts.get("effectiveModel") or artifact.model or requested
        return {
            "requestedModel": requested,
            "effectiveModel": effective,
            "modelFallback": facts.get("modelFallback"),
        }

    def upstream_id(self, artifact: Artifact) -> Json:
        """The upstream's own id of the work."""
        return artifact.facts.get("xaiVideoRequestId") or (self.receipt.id if self.receipt else None)

    def continuity(self, artifact: Artifact, created_at: int) -> dict[str, Json]:
        """``videoContinuity`` of this clip."""
        script = self.script
        clip = continuity.entry(
            self._filename, script.prompt, artifact.revised_prompt or script.prompt, created_at, "current"
        )
        lineage = continuity.stored({"videoContinuity": script.lineage}, "") if script.lineage else None
        return continuity.continued(lineage, clip, script.parent, script.source_frame)

    def told(self, artifact: Artifact, created_at: int, outcome: Outcome) -> dict[str, Json]:
        """What every sidecar of a clip holds."""
        return {
            "kind": "video",
            "mediaType": "video",
            "providerUrl": artifact.url,
            "sessionId": self.session_id,
            "clientNodeId": self.script.client_node_id,
            "prompt": self.script.prompt,
            "userPrompt": self.script.prompt,
            "revisedPrompt": artifact.revised_prompt,
            "provider": self.provider.id,
            "model": self.models(artifact)["effectiveModel"],
            **self.models(artifact),
            "createdAt": created_at,
            "elapsed": outcome.elapsed,
            "usage": outcome.usage,
            "webSearchCalls": outcome.searches,
            "videoContinuity": self.continuity(artifact, created_at),
        }


def seconds(value: Json) -> float | None:
    """A length that is a number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
