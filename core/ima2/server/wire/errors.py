"""The diagnostic block of the reference's error bodies, and the flat error shape around it."""

from __future__ import annotations

from ima2.errors import CANCELED, Ima2Error
from ima2.models import Json

BLOCK = [
    "upstreamCode",
    "upstreamType",
    "upstreamParam",
    "diagnosticReason",
    "retryKind",
    "initialEventCount",
    "initialEventTypes",
    "referencesDroppedOnRetry",
    "developerPromptDroppedOnRetry",
    "webSearchDroppedOnRetry",
    "fallbackEventCount",
    "fallbackEventTypes",
    "fallbackImageCallSeen",
    "fallbackImageResultCount",
    "errorEventCount",
    "eventTypes",
    "webSearchCalls",
    "responseDiagnostics",
    "toolTypes",
    "toolChoiceKind",
]


def flat(error: Ima2Error, request_id: str | None = None, *, block: bool = False) -> dict[str, Json]:
    """``{"error", "code", …, "requestId"}``, with the block of nulls and facts where ``block`` asks for it."""
    body: dict[str, Json] = {"error": error.text, "code": error.code}
    if block and error.code != CANCELED:
        body.update(dict.fromkeys(BLOCK))
        body.update(upstream(error))
    body.update(error.details)
    if error.retry_after is not None:
        body["retryAfter"] = error.retry_after
    if request_id is not None:
        body["requestId"] = request_id
    return body


def upstream(error: Ima2Error) -> dict[str, Json]:
    """The upstream's own labels of a failure."""
    return {
        "upstreamCode": error.upstream_code,
        "upstreamType": error.upstream_type,
        "upstreamParam": error.upstream_param,
    }


def unsorted_code(error: Ima2Error) -> str:
    """The code that clients of the reference know on edits and sequences, where it did not sort upstream failures."""
    return "RESPONSES_IMAGE_ERROR" if error.code in {"UPSTREAM_5XX", "RATE_LIMITED"} else error.code


def moderation_refused(error: Ima2Error) -> Ima2Error:
    """On edits and sequences a refusal by the upstream's moderation has a code of its own, 400; others are as they
    are."""
    if error.upstream_code != "moderation_blocked":
        return error
    return Ima2Error(
        "MODERATION_REFUSED",
        400,
        error.text,
        upstream_code=error.upstream_code,
        upstream_type=error.upstream_type,
        upstream_param=error.upstream_param,
        details=error.details,
    )
