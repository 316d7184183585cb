"""``POST /api/generate``: independent candidates for one prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.models import Artifact, Json
from ima2.ways.body import Body
from ima2.ways.choices import Choices, choose_count
from ima2.ways.diagnostics import flat
from ima2.ways.pictures import PictureWay, Providers, read_common, read_partials, read_sources, shown
from ima2.ways.references import References
from ima2.ways.storyboard import storyboarded
from ima2.ways.way import Limits, Outcome, stamp


class Classic(PictureWay):
    """One classic request: 1 to 8 candidates."""

    kind = "classic"
    streams_at_once = True

    def __init__(
        self, body: Body, provider: Provider, choices: Choices, references: References, limits: Limits, fallback_id: str
    ) -> None:
        super().__init__(body, provider, choices, limits, fallback_id)
        self.references = references
        count = choose_count(body, "n", provider.capabilities.max_count, choices)
        self.request = self.ask(
            read_sources(body, provider, choices, references),
            prompt=storyboarded(self.prompt) if body.get("storyboard") is True else self.prompt,
            count=count,
            partials=read_partials(body, provider),
        )

    @classmethod
    def read(cls, fields: Mapping[str, Any], providers: Providers, limits: Limits, fallback_id: str) -> Classic:
        """Check a body in the reference's order: provider, model and options, prompt, moderation, references."""
        body = Body(fields)
        provider, choices, references = read_common(body, providers, limits)
        return cls(body, provider, choices, references, limits, fallback_id)

    def meta(self) -> dict[str, Json]:
        return {
            "kind": "classic",
            "sessionId": self.session_id,
            "parentNodeId": None,
            "clientNodeId": self.client_node_id,
            "quality": self.request.quality,
            "model": self.request.model,
            "size": self.request.size,
            "n": self.request.count,
            **self.references.counts,
            **self.composer,
        }

    def key(self, index: int, extension: str, created_at: int) -> str:
        return f"{stamp(created_at, self.limits.name_bytes)}_{index}.{extension}"

    def sidecar(self, artifact: Artifact, created_at: int, format_name: str, outcome: Outcome) -> dict[str, Json]:
        own = {"kind": "classic", "sessionId": self.session_id, "clientNodeId": self.client_node_id, **self.composer}
        refs = {"refsCount": len(self.references.pictures)}
        return {**own, **self.told(artifact, created_at, format_name, outcome), **refs}

    def reply(self, outcome: Outcome) -> dict[str, Json]:
        if self.request.count == 1:
            return self.single(outcome)
        head = {
            "images": [shown(made) for made in outcome.made],
            "elapsed": outcome.elapsed,
            "count": len(outcome.made),
            "requested": self.request.count,
            "failures": [{"index": one.index, "code": getattr(one.error, "code", "UNKNOWN")} for one in outcome.failed],
            "requestId": self.id,
        }
        return {**head, **self.common(outcome)}

    def refusal(self, error: Ima2Error, outcome: Outcome | None = None) -> dict[str, Json]:
        return flat(error, self.id, block=True)
