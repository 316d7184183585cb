"""``POST /api/video/generate``: a clip from words, from a picture, from several, or from the end of another clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.library import Library
from ima2.models import Artifact, Json, VideoRequest
from ima2.ways import continuity
from ima2.ways.body import Body
from ima2.ways.choices import Choices, choose_model
from ima2.ways.clip import Clip
from ima2.ways.inputs import Inputs, read_inputs
from ima2.ways.pictures import ID_CHARS, Providers, require_prompt
from ima2.ways.script import Script
from ima2.ways.shape import Shape, check_duration, choose_shape
from ima2.ways.way import Limits, Outcome

TOPIC_CHARS = 200
GUIDANCE = (
    "Say what should be seen and heard: how the picture moves from the first second to the last, what the camera does, "
    "which sounds there are (or none), who speaks and what (or nobody), and where it ends, paced to fill the whole "
    "length. For example: A paper boat drifts down a rain gutter, the camera follows close behind, only rain is heard, "
    "and it comes to rest against a leaf."
)


class Film(Clip):
    """A new clip."""

    def begun(self) -> tuple[str, dict[str, Json]] | None:
        return None if self.resumes else ("planning", {})

    @classmethod
    async def read(
        cls, fields: Mapping[str, Any], providers: Providers, library: Library, limits: Limits, fallback_id: str
    ) -> Film:
        """Check a body in the reference's order: provider, prompt, model and options, shape, clip to continue,
        inputs."""
        body = Body(fields)
        provider = providers(body.get("provider"))
        prompt = read_prompt(body, limits)
        choices = choose_model(body, provider, "video")
        shape = choose_shape(body, provider)
        inputs = await read_inputs(body, provider, choices, library.storage)
        check_duration(shape.duration, inputs.mode, provider)
        topic = body.text("topic", limit=TOPIC_CHARS, code="INVALID_TOPIC")
        topic = topic.strip() if topic else None
        earlier, number = await library.series(topic, continuity.SERIES) if topic else ([], 0)
        _options(body, provider, choices, inputs)
        script = Script(
            prompt,
            body.text("sessionId", limit=ID_CHARS, code="INVALID_SESSION_ID"),
            body.text("clientNodeId", limit=ID_CHARS, code="INVALID_NODE_ID"),
            inputs.lineage.data() if inputs.lineage else None,
            inputs.parent,
            "last" if inputs.continues else None,
            inputs.source_filename,
            topic,
            number,
            storyboard=body.get("storyboard") is True or choices.options.get("storyboard") is True,
        )
        words = prompt if inputs.lineage else continuity.in_series(earlier, prompt)
        request = _request(words, provider, choices, shape, inputs)
        return cls(read_id(fields, fallback_id), provider, request, script, limits, warnings=choices.warnings)

    def sidecar(self, artifact: Artifact, created_at: int, format_name: str, outcome: Outcome) -> dict[str, Json]:
        facts = {**self.told(artifact, created_at, outcome), "requestId": self.id, "video": self._video(artifact)}
        if self.script.topic:
            facts["videoSeries"] = self._series()
        if self.script.storyboard:
            facts["storyboard"] = True
        return facts

    def reply(self, outcome: Outcome) -> dict[str, Json]:
        made = outcome.made[0]
        facts = made.kept.facts
        done = {
            "requestId": self.id,
            "filename": made.kept.key,
            "url": made.kept.url,
            "providerUrl": made.artifact.url,
            "mediaType": "video",
            "revisedPrompt": made.artifact.revised_prompt,
            "elapsed": outcome.elapsed,
            "createdAt": made.created_at,
            "provider": self.provider.id,
            "usage": outcome.usage,
            "cost": outcome.cost,
            "webSearchCalls": outcome.searches,
            **self.models(made.artifact),
            "video": facts["video"],
            "videoContinuity": facts["videoContinuity"],
            "warnings": outcome.warnings,
        }
        if self.script.topic:
            done["videoSeries"] = self._series()
        return done

    def _series(self) -> dict[str, Json]:
        return {"topic": self.script.topic, "chainIndex": self.script.chain_index}

    def _video(self, artifact: Artifact) -> dict[str, Json]:
        return {
            "duration": self.duration(artifact),
            "resolution": self.request.resolution,
            "aspectRatio": self.request.aspect_ratio,
            "sourceImageFilename": self.script.source_filename,
            "xaiVideoRequestId": self.upstream_id(artifact),
            **self.models(artifact),
        }


def read_prompt(body: Body, limits: Limits) -> str:
    """What the clip should show, trimmed; 400 ``PROMPT_REQUIRED`` with ``guidance`` where nothing is said."""
    try:
        require_prompt(body, limits)
    except Ima2Error as error:
        if error.code == "PROMPT_REQUIRED":
            error.details["guidance"] = GUIDANCE
        raise
    return str(body.get("prompt")).strip()


def read_id(fields: Mapping[str, Any], fallback: str) -> str:
    """The job's id: the body's ``requestId``, else its ``clientRequestId``, else the request's."""
    second = Body({"requestId": fields.get("clientRequestId")}).request_id(fallback)
    return Body(fields).request_id(second)


def _options(body: Body, provider: Provider, choices: Choices, inputs: Inputs) -> None:
    """The provider's options that have a field of their own in a body of a clip."""
    planner = body.text("plannerModel", limit=120, code="INVALID_PLANNER_MODEL")
    wanted = {
        "plannerModel": planner,
        "storyboard": True if body.get("storyboard") is True else None,
        "continuity": inputs.lineage.told() if inputs.lineage else None,
    }
    for name, value in wanted.items():
        if value is None:
            continue
        if provider.capabilities.option(name):
            choices.options[name] = value
        elif name == "plannerModel":
            choices.warn("OPTION_IGNORED", name, None, "provider-has-no-such-option")


def _request(words: str, provider: Provider, choices: Choices, shape: Shape, inputs: Inputs) -> VideoRequest:
    return VideoRequest(
        words,
        provider.id,
        choices.model,
        inputs.mode,
        shape.duration,
        shape.resolution,
        shape.aspect_ratio,
        source=inputs.pictures[0] if inputs.mode == "image" else None,
        references=inputs.pictures if inputs.mode == "reference" else (),
        options=choices.options,
    )
