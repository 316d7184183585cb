"""What can go wrong with xAI, as data: refused or failed, what it is called here, whether trying again helps.

The table of ``docs/providers.md`` is made from this one, and so is every error of this package that stands for an
upstream's answer. ``stage`` codes differ by the call: see `ima2_provider_grok.failures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from ima2 import Ima2Error

AGAIN = " Try again later."


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of failure is to a client.

    ``code`` is empty where it is the stage's own, ``status`` is ``None`` where the upstream's is passed on. ``outcome``
    is ``refused`` where a rule forbids the content. ``again`` says that the same request may succeed later and that
    nothing was billed: only such sentences advise to try again.
    """

    when: str
    code: str
    status: int | None
    outcome: Literal["refused", "failed"] = "failed"
    again: bool = False


MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "content": Meaning("words or pictures against xAI's rules", "SAFETY_REFUSAL", 422, "refused"),
        "output": Meaning(
            "a picture held back: `block_reason`, or `respect_moderation` false", "SAFETY_REFUSAL", 422, "refused"
        ),
        "words": Meaning("a refusal in place of words", "SAFETY_REFUSAL", 422, "refused"),
        "clip-blocked": Meaning(
            "a finished clip held back, which is billed all the same",
            "GROK_VIDEO_MODERATION_BLOCKED",
            502,
            "refused",
        ),
        "rate": Meaning("HTTP 429, or a quota told inside a success", "GROK_RATE_LIMITED", 429, again=True),
        "credentials": Meaning("HTTP 401, or a 400 about the key", "GROK_AUTH_FAILED", 502),
        "access": Meaning("HTTP 403: no credits, or a subscription without API access", "GROK_AUTH_FAILED", 502),
        "region": Meaning("a country or region that xAI does not serve", "GROK_AUTH_FAILED", 502),
        "model": Meaning("a model that is gone, with its replacement", "MODEL_UNAVAILABLE", None),
        "request": Meaning("any other HTTP 4xx", "", None),
        "redirect": Meaning("an address that leads elsewhere", "GROK_UPSTREAM_ERROR", 502),
        "fault": Meaning("HTTP 5xx", "GROK_UPSTREAM_ERROR", 502),
        "unreached": Meaning("no connection: nothing was sent", "", 502, again=True),
        "unusable": Meaning("a certificate that is not trusted here, or a proxy that does not let through", "", 502),
        "broken": Meaning("a connection that broke, an answer that cannot be read or has no end", "", 502),
        "timeout": Meaning("no whole answer in time", "", 504),
        "empty": Meaning("a success without picture or words", "GROK_EMPTY_RESPONSE", 502),
        "no-findings": Meaning("a search without findings", "GROK_SEARCH_EMPTY_RESPONSE", 502),
        "no-call": Meaning("a planner that hands nothing over", "GROK_PLANNER_EMPTY_TOOL_CALL", 502),
        "no-prompt": Meaning("a planner that hands over no prompt", "GROK_PLANNER_INVALID_TOOL_ARGS", 502),
        "no-number": Meaning("an order without a number", "GROK_VIDEO_REQUEST_FAILED", 502),
        "invalid_argument": Meaning("clip: `invalid_argument`", "GROK_VIDEO_REQUEST_FAILED", 400),
        "permission_denied": Meaning("clip: `permission_denied`", "GROK_VIDEO_REQUEST_FAILED", 403),
        "failed_precondition": Meaning("clip: `failed_precondition`", "GROK_VIDEO_REQUEST_FAILED", 412),
        "service_unavailable": Meaning("clip: `service_unavailable`", "GROK_VIDEO_POLL_FAILED", 502),
        "internal_error": Meaning("clip: `internal_error`, or no reason", "GROK_VIDEO_FAILED", 502),
        "expired": Meaning("clip: `expired`", "GROK_VIDEO_EXPIRED", 502),
        "no-address": Meaning("clip: `done` without an address", "GROK_VIDEO_EMPTY_RESPONSE", 502),
        "download": Meaning("a finished file that cannot be downloaded or used", "", 502),
        "incomplete": Meaning("a finished file that ends early", "PICTURE_INCOMPLETE", 502),
    }
)


def error(kind: str, text: str, *, code: str = "", status: int | None = None, **extra: Any) -> Ima2Error:
    """The error of a kind. ``code`` and ``status`` are the stage's and the upstream's, where the table has none."""
    meaning = MEANINGS[kind]
    words = f"{text}{AGAIN if meaning.again and 'again' not in text else ''}"
    details = {**kind_of(kind), **extra.pop("details", {})}
    return Ima2Error(meaning.code or code, status or meaning.status or 502, words, details=details, **extra)


def kind_of(kind: str) -> dict[str, Any]:
    """What an error tells programs of its kind: ``failureKind`` and whether to ``retry``."""
    meaning = MEANINGS[kind]
    return {"failureKind": meaning.outcome, "retry": meaning.again}
