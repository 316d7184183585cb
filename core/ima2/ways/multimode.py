"""``POST /api/generate/multimode``: up to eight pictures of one story, each told as soon as it is kept."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.jobs.record import now_ms
from ima2.models import Artifact, Json
from ima2.ways.body import Body
from ima2.ways.choices import Choices, choose_count
from ima2.ways.diagnostics import upstream
from ima2.ways.pictures import PictureWay, Providers, read_common, read_partials, read_sources, shown
from ima2.ways.references import References
from ima2.ways.way import Limits, Made, Outcome, stamp

MOST = 8
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Multimode(PictureWay):
    """One sequence. ``sequence_id`` is ``seq_<ms in base 36>_<8 hex>``."""

    kind = "multimode"
    tells_pictures = True

    def __init__(
        self, body: Body, provider: Provider, choices: Choices, references: References, limits: Limits, fallback_id: str
    ) -> None:
        super().__init__(body, provider, choices, limits, fallback_id)
        self.references = references
        self.wanted = choose_count(body, "maxImages", MOST, choices)
        self.sequence_id = f"seq_{_base36(now_ms())}_{secrets.token_hex(4)}"
        length = min(self.wanted, provider.capabilities.sequence)
        if length < 1:
            raise provider.unsupported("sequence")
        sources = read_sources(body, provider, choices, references)
        self.request = self.ask(sources, sequence=length, partials=read_partials(body, provider))

    @classmethod
    def read(cls, fields: Mapping[str, Any], providers: Providers, limits: Limits, fallback_id: str) -> Multimode:
        """Check a body: provider, model and options, prompt, moderation, references."""
        body = Body(fields)
        provider, choices, references = read_common(body, providers, limits)
        return cls(body, provider, choices, references, limits, fallback_id)

    def meta(self) -> dict[str, Json]:
        return {
            "kind": "multimode",
            "sessionId": self.session_id,
            "quality": self.request.quality,
            "model": self.request.model,
            "size": self.request.size,
            "maxImages": self.wanted,
            **self.references.counts,
            **self.composer,
        }

    def end_meta(self, outcome: Outcome) -> dict[str, Json]:
        meta = {
            "sequenceId": self.sequence_id,
            **super().end_meta(outcome),
            "maxImages": self.wanted,
            "status": self._status(len(outcome.made)),
            **self.composer,
        }
        if outcome.made and outcome.failed:
            meta["partialErrorCode"] = _last(outcome).code
        return meta

    def http_status(self, outcome: Outcome) -> int:
        return 206 if outcome.failed else 200

    # -- files and events ------------------------------------------------------------------------

    def begun(self) -> tuple[str, dict[str, Json]]:
        return "phase", {"phase": "streaming", "sequenceId": self.sequence_id, "maxImages": self.wanted}

    def preview(self, index: int) -> dict[str, Json]:
        return {"sequenceId": self.sequence_id, "index": index}

    def key(self, index: int, extension: str, created_at: int) -> str:
        return f"{stamp(created_at, self.limits.name_bytes)}_multimode_{index}.{extension}"

    def sidecar(self, artifact: Artifact, created_at: int, format_name: str, outcome: Outcome) -> dict[str, Json]:
        place = len(outcome.made) + 1
        own = {
            "kind": "multimode-image",
            "generationStrategy": "one-call-text-sequence",
            "sessionId": self.session_id,
            **self._place(place, place),
            "stageLabel": chr(ord("A") + min(artifact.index, 25)),
            **self.composer,
        }
        refs = {"refsCount": len(self.references.pictures)}
        return {**own, **self.told(artifact, created_at, format_name, outcome), **refs}

    def amendment(self, made: Made, outcome: Outcome) -> dict[str, Json]:
        place = outcome.made.index(made) + 1
        return self._place(place, len(outcome.made))

    def picture_event(self, made: Made, outcome: Outcome) -> dict[str, Json]:
        place = outcome.made.index(made) + 1
        return {**shown(made), **self._place(place, len(outcome.made))}

    def _place(self, place: int, returned: int) -> dict[str, Json]:
        return {
            "sequenceId": self.sequence_id,
            "sequenceIndex": place,
            "sequenceTotalRequested": self.wanted,
            "sequenceTotalReturned": returned,
            "sequenceStatus": self._status(returned),
        }

    def _status(self, returned: int) -> str:
        return "empty" if returned == 0 else "complete" if returned >= self.wanted else "partial"

    # -- answers ---------------------------------------------------------------------------------

    def reply(self, outcome: Outcome) -> dict[str, Json]:
        warnings = [one for one in outcome.warnings if one.get("code") != "EXTRA_IMAGES_IGNORED"]
        extra = next((one for one in outcome.warnings if one.get("code") == "EXTRA_IMAGES_IGNORED"), {})
        done: dict[str, Json] = {
            "ok": True,
            "requestId": self.id,
            "sequenceId": self.sequence_id,
            "requested": self.wanted,
            "returned": len(outcome.made),
            "status": self._status(len(outcome.made)),
            "elapsed": f"{outcome.elapsed:.1f}",
            "images": [self.picture_event(made, outcome) for made in outcome.made],
            "extraIgnored": extra.get("extraIgnored", 0),
            **self.common(outcome),
            "warnings": warnings,
        }
        if outcome.failed:
            error = _last(outcome)
            done |= {"partial": True, "warning": {"code": error.code, "message": error.text}}
        return done

    def refusal(self, error: Ima2Error, outcome: Outcome | None = None) -> dict[str, Json]:
        body = {"error": error.text, "code": plain_code(error), "status": error.status, "requestId": self.id}
        counts = {"sequenceId": self.sequence_id, "requested": self.wanted, "returned": 0} if outcome else {}
        return {**body, **upstream(error), **error.details, **counts}


def plain_code(error: Ima2Error) -> str:
    """The code that clients of the reference know on edits and sequences, where it did not sort upstream failures."""
    return "RESPONSES_IMAGE_ERROR" if error.code in {"UPSTREAM_5XX", "RATE_LIMITED"} else error.code


def _last(outcome: Outcome) -> Ima2Error:
    error = outcome.failed[-1].error
    return error if isinstance(error, Ima2Error) else Ima2Error("UNKNOWN", 500, "A picture could not be made.")


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
