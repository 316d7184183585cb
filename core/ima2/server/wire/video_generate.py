"""``POST /api/video/generate``: a clip from words, from a picture, from several, or from the end of another clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ima2.interfaces import JobResult, Label, Studio
from ima2.library import Gallery
from ima2.models import Artifact, Json, VideoRequest
from ima2.server.wire import lineage
from ima2.server.wire.picture_view import warnings
from ima2.server.wire.video_body import VideoBody
from ima2.server.wire.video_inputs import VideoInputs, read_inputs
from ima2.server.wire.video_view import MODES, VideoView
from ima2.studio.check import check_duration

KIND = "video"
TOPIC_CHARS = 200
LEAD_IN_S = 1.0
"""Seconds of black at the start of a clip made from a storyboard."""


async def read(
    fields: Mapping[str, Any], studio: Studio, library: Gallery, fallback_id: str
) -> tuple[VideoRequest, Label]:
    """Check a body in the reference's order: provider, prompt, model and options, shape, clip to continue, inputs."""
    body = VideoBody(fields, studio, fallback_id)
    body.choose_provider()
    prompt = body.require_prompt()
    body.choose_model()
    duration, resolution, ratio = body.duration(), body.resolution(), body.aspect_ratio()
    inputs = await read_inputs(body, library.storage)
    check_duration(duration, inputs.mode, body.provider, body.model)
    topic = (body.text("topic", limit=TOPIC_CHARS, code="INVALID_TOPIC") or "").strip() or None
    earlier, number = await library.series(topic, lineage.SERIES) if topic else ([], 0)
    body.choose_planner()
    body.offer("storyboard", True if body.get("storyboard") is True else None)
    body.offer("continuity", inputs.lineage.entries_for_provider() if inputs.lineage else None)
    body.identify()
    storyboard = body.get("storyboard") is True or body.options.get("storyboard") is True
    request = VideoRequest(
        prompt if inputs.lineage else lineage.in_series(earlier, prompt),
        body.provider.id,
        body.model,
        inputs.mode,
        duration,
        resolution,
        ratio,
        source=inputs.pictures[0] if inputs.mode == "image" else None,
        references=inputs.pictures if inputs.mode == "reference" else (),
        options=body.options,
        any_model=body.any_model,
        trim_start=LEAD_IN_S if storyboard else 0.0,
    )
    return request, _label(body, request, prompt, inputs, topic, number, storyboard=storyboard)


def _label(
    body: VideoBody,
    request: VideoRequest,
    prompt: str,
    inputs: VideoInputs,
    topic: str | None,
    number: int,
    *,
    storyboard: bool,
) -> Label:
    meta = {
        "clientNodeId": body.client_node_id,
        "model": request.model,
        "mode": MODES[request.mode],
        "duration": request.duration,
        "resolution": request.resolution,
    }
    extra = {
        "prompt": prompt,
        "lineage": inputs.lineage.data() if inputs.lineage else None,
        "parent": inputs.parent,
        "source_frame": "last" if inputs.continues else None,
        "source_filename": inputs.source_filename,
        "topic": topic,
        "chain_index": number,
        "storyboard": storyboard,
    }
    return Label(
        id=body.id,
        kind=KIND,
        session_id=body.session_id,
        client_id=body.client_node_id,
        name="{ms}_{hex}",
        facts={"user_prompt": prompt},
        meta=meta,
        extra=extra,
        warnings=body.warnings,
    )


class VideoGenerateView(VideoView):
    """A new clip."""

    def started(self) -> tuple[str, Mapping[str, Json]]:
        return "planning", {}

    def facts(self, artifact: Artifact, result: JobResult) -> dict[str, Json]:
        output = result.kept[0]
        known = {name: value for name, value in artifact.facts.items() if name not in ("duration",)}
        video = {
            "duration": self.duration(output),
            "resolution": self.request.resolution,
            "aspectRatio": self.request.aspect_ratio,
            "sourceImageFilename": self.label.extra.get("source_filename"),
            **(result.receipt.facts if result.receipt else {}),
            **known,
            **self.models(artifact),
        }
        facts = {**super().facts(artifact, result), "video": video}
        if self.label.extra.get("topic"):
            facts["videoSeries"] = self._series()
        if self.label.extra.get("storyboard"):
            facts["storyboard"] = True
        return facts

    def done(self, result: JobResult) -> dict[str, Json]:
        output = result.kept[0]
        done = {
            "requestId": result.id,
            "filename": output.key,
            "url": output.url,
            "providerUrl": output.artifact.url,
            "mediaType": "video",
            "revisedPrompt": output.artifact.revised_prompt,
            "elapsed": result.elapsed,
            "createdAt": output.created_at,
            "provider": self.request.provider,
            "usage": result.usage,
            "cost": result.cost,
            "costEstimate": result.estimate,
            "webSearchCalls": result.searches,
            **self.models(output.artifact),
            "video": output.facts["video"],
            "videoContinuity": output.facts["videoContinuity"],
            "warnings": warnings(result),
        }
        if self.label.extra.get("topic"):
            done["videoSeries"] = self._series()
        return done

    def _series(self) -> dict[str, Json]:
        return {"topic": self.label.extra["topic"], "chainIndex": self.label.extra["chain_index"]}
