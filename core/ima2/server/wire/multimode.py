"""``POST /api/generate/multimode``: up to eight pictures of one story, each told as soon as it is kept."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from ima2.errors import Ima2Error
from ima2.interfaces import JobResult, Label, Output, Studio
from ima2.jobs.record import now_ms
from ima2.models import Artifact, ImageRequest, Json
from ima2.server.wire.errors import moderation_refused, unsorted_code, upstream
from ima2.server.wire.image_body import ImageBody, read_common
from ima2.server.wire.picture_view import PictureView, listed

KIND = "multimode"
MOST = 8
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def read(fields: Mapping[str, Any], studio: Studio, fallback_id: str) -> tuple[ImageRequest, Label]:
    """Check a body: provider, model and options, prompt, moderation, references."""
    body = ImageBody(fields, studio, fallback_id)
    read_common(body)
    body.identify()
    wanted = body.count("maxImages", MOST)
    length = min(wanted, body.able.sequence)
    if length < 1:
        raise body.provider.unsupported("sequence")
    request = body.request(references=body.sources(), sequence=length, partials=body.partials())
    used = studio.check(request).request
    meta = {
        "quality": request.quality,
        "model": used.model,
        "size": getattr(used, "size", request.size),
        "maxImages": wanted,
        **body.reference_counts,
        **body.composer,
    }
    facts = {
        "kind": "multimode-image",
        "generation_strategy": "one-call-text-sequence",
        **body.composer,
        "refs_count": len(body.references.pictures),
    }
    extra = {"sequence_id": f"seq_{_base36(now_ms())}_{secrets.token_hex(4)}", "wanted": wanted, **body.composer}
    return request, body.label(kind=KIND, name="{ms}_{hex}_multimode_{index}", facts=facts, meta=meta, extra=extra)


class MultimodeView(PictureView):
    """A sequence; its id is ``seq_<ms in base 36>_<8 hex>``."""

    @property
    def sequence_id(self) -> str:
        """The id that all its pictures share."""
        return str(self.label.extra["sequence_id"])

    @property
    def wanted(self) -> int:
        """How many pictures were asked for."""
        return int(self.label.extra["wanted"])

    def started(self) -> tuple[str, dict[str, Json]]:
        return "phase", {"phase": "streaming", "sequenceId": self.sequence_id, "maxImages": self.wanted}

    def preview(self, index: int) -> dict[str, Json]:
        return {"sequenceId": self.sequence_id, "index": index}

    def picture(self, output: Output, result: JobResult) -> dict[str, Json]:
        return {**listed(output), **self._place(output.index, result)}

    def facts(self, artifact: Artifact, result: JobResult) -> dict[str, Json]:
        stage = chr(ord("A") + min(artifact.index, 25))
        return {**self._place(artifact.index, result), "stageLabel": stage}

    def done(self, result: JobResult) -> dict[str, Json]:
        common = self.common(result)
        extra: dict[str, Json] = next(
            (one for one in common["warnings"] if one.get("code") == "EXTRA_IMAGES_IGNORED"), {}
        )
        done: dict[str, Json] = {
            "ok": True,
            "requestId": result.id,
            "sequenceId": self.sequence_id,
            "requested": self.wanted,
            "returned": len(result.kept),
            "status": self._status(len(result.kept)),
            "elapsed": f"{result.elapsed:.1f}",
            "images": [self.picture(output, result) for output in result.kept],
            "extraIgnored": extra.get("extraIgnored", 0),
            **common,
            "warnings": [one for one in common["warnings"] if one is not extra],
        }
        if result.failed:
            error = _last(result)
            done |= {"partial": True, "warning": {"code": error.code, "message": error.text}}
        return done

    def translate(self, error: Ima2Error) -> Ima2Error:
        return moderation_refused(error)

    def error(self, error: Ima2Error, result: JobResult | None = None) -> dict[str, Json]:
        body = {"error": error.text, "code": unsorted_code(error), "status": error.status, "requestId": self.label.id}
        counts = {"sequenceId": self.sequence_id, "requested": self.wanted, "returned": 0} if result else {}
        return {**body, **upstream(error), **error.details, **counts}

    def record(self, result: JobResult, error: Ima2Error | None = None) -> dict[str, Json]:
        shown = {
            "sequenceId": self.sequence_id,
            **super().record(result, error),
            "maxImages": self.wanted,
            "status": self._status(len(result.kept)),
            **{name: self.label.extra.get(name) for name in ("composer_prompt", "composer_inserted_prompts")},
        }
        if result.kept and result.failed:
            shown["partialErrorCode"] = _last(result).code
        return shown

    def http_status(self, result: JobResult) -> int:
        return 206 if result.failed else 200

    def _place(self, index: int, result: JobResult) -> dict[str, Json]:
        place = next((number for number, one in enumerate(result.kept, 1) if one.index == index), len(result.kept))
        return {
            "sequenceId": self.sequence_id,
            "sequenceIndex": place,
            "sequenceTotalRequested": self.wanted,
            "sequenceTotalReturned": len(result.kept),
            "sequenceStatus": self._status(len(result.kept)),
        }

    def _status(self, returned: int) -> str:
        return "empty" if returned == 0 else "complete" if returned >= self.wanted else "partial"


def _last(result: JobResult) -> Ima2Error:
    error = result.failed[-1].error
    return error if isinstance(error, Ima2Error) else Ima2Error("UNKNOWN", 500, "A picture could not be made.")


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
