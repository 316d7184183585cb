"""What an upstream says went wrong, in any of the shapes it says it.

``{"error": {...}}`` and ``{"detail": ...}`` bodies, HTML pages, flat and nested ``error`` events, failed and incomplete
responses, failed tool calls. The upstream's sentence is only looked at to classify it; it never leaves this module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

Kind = Literal[
    "moderation", "usage", "quota", "rate", "expired", "key", "capability", "edge", "server", "request", "unknown"
]

_KINDS: tuple[tuple[Kind, frozenset[str]], ...] = (
    (
        "moderation",
        frozenset(
            [
                "moderation_blocked",
                "image_content_policy_violation",
                "content_policy_violation",
                "content_filter",
                "moderation_refused",
                "safety_refusal",
                "cyber_policy",
            ]
        ),
    ),
    ("usage", frozenset({"usage_limit_reached", "usage_not_included"})),
    ("quota", frozenset({"insufficient_quota", "billing_hard_limit_reached"})),
    ("rate", frozenset({"rate_limit_exceeded", "rate_limit_error", "requests", "tokens", "too_many_requests"})),
    ("expired", frozenset({"token_expired", "token_invalidated", "token_revoked"})),
    ("key", frozenset({"invalid_api_key", "incorrect_api_key", "account_deactivated"})),
    (
        "server",
        frozenset(
            ["server_error", "internal_server_error", "server_is_overloaded", "overloaded", "vector_store_timeout"]
        ),
    ),
    (
        "request",
        frozenset(
            [
                "bad_request",
                "invalid_request",
                "invalid_request_error",
                "invalid_value",
                "invalid_size",
                "invalid_type",
                "invalid_parameter",
                "missing_required_parameter",
                "unsupported_parameter",
                "unsupported_value",
                "unknown_parameter",
                "model_not_found",
                "invalid_prompt",
                "invalid_image",
                "invalid_image_format",
                "invalid_base64_image",
                "invalid_image_url",
                "invalid_image_mode",
                "image_too_large",
                "image_too_small",
                "image_parse_error",
                "image_file_too_large",
                "unsupported_image_media_type",
                "empty_image_file",
                "failed_to_download_image",
                "image_file_not_found",
                "context_length_exceeded",
                "unsupported_country_region_territory",
                "image_generation_user_error",
            ]
        ),
    ),
)
_VAGUE = frozenset({"", "invalid_prompt", "bad_request", "invalid_request", "invalid_request_error"})
"""Codes that say so little that the sentence has to be looked at."""
_WORDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("moderation", re.compile(r"safety system|moderation|content policy|usage polic|content filter")),
    ("expired", re.compile(r"sign in again|token.{0,60}(?:expired|invalidated|revoked)")),
    ("key", re.compile(r"incorrect api key|invalid authentication|incorrect organization")),
    ("quota", re.compile(r"exceeded your current quota")),
)
_TOOL_GONE = re.compile(r"tool.choice.{0,80}not found in|image_generation.{0,60}not (?:found|available|supported)")
_FILTERED = re.compile(r"image was filtered|generated image")


@dataclass(frozen=True, slots=True)
class Complaint:
    """The labels of a failure, and its sentence for classification only. ``status`` is that of HTTP, if any."""

    code: str | None = None
    type: str | None = None
    param: str | None = None
    status: int | None = None
    stage: str | None = None
    resets_in: float | None = None
    html: bool = False
    _words: str = field(default="", repr=False)

    @property
    def kind(self) -> Kind:
        """What sort of failure it is: labels decide before words, words before the status."""
        if self.html and self.status in (401, 403, 503):
            return "edge"
        if self.status == 400 and _TOOL_GONE.search(self._words):
            return "capability"
        labelled = next((kind for label in (self.code, self.type) for kind in _kinds(label)), None)
        if labelled not in (None, "request", "server"):
            return labelled
        if (self.code or "") in _VAGUE and (self.status or 400) < 500:
            worded = next((kind for kind, pattern in _WORDS if pattern.search(self._words)), None)
            if worded:
                return worded
        return self._by_status() or labelled or "unknown"

    def _by_status(self) -> Kind | None:
        match self.status:
            case 429:
                return "rate"
            case 401:
                return "key"
            case int(status) if status >= 500:
                return "server"
            case int(status) if status >= 400:
                return "request"
        return None


def _kinds(label: str | None) -> list[Kind]:
    return [kind for kind, names in _KINDS if (label or "").lower() in names]


def of_body(body: bytes, status: int) -> Complaint:
    """The failure an HTTP answer tells of; whatever the body is, this does not fail."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Complaint(status=status, html=body.lstrip()[:1] == b"<")
    return of_value(value, status)


def of_value(value: Any, status: int | None = None) -> Complaint:
    """The failure told by a JSON value: an error body, an ``error`` event, a failed item or its ``error``."""
    if not isinstance(value, dict):
        return Complaint(status=status, _words=_text(value))
    inner = value.get("error")
    if isinstance(inner, dict):
        return of_value(inner, _number(value.get("status_code")) if status is None else status)
    words = " ".join(_text(part) for part in (inner, value.get("message"), value.get("detail")))
    kind = value.get("type")
    return Complaint(
        code=_label(value.get("code")) or (_label(inner) if _is_label(inner) else None),
        type=_label(kind) if kind != "error" else None,
        param=_label(value.get("param")),
        status=status,
        stage=_stage(value, words),
        resets_in=value.get("resets_in_seconds") if isinstance(value.get("resets_in_seconds"), int | float) else None,
        _words=words,
    )


def _stage(value: dict[str, Any], words: str) -> str | None:
    details = value.get("moderation_details")
    told = details.get("moderation_stage", details.get("stage")) if isinstance(details, dict) else None
    if told in ("input", "output"):
        return str(told)
    if _FILTERED.search(words):
        return "output"
    return "input" if "rejected" in words else None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value[:2000].lower()
    if isinstance(value, dict):
        return _text(value.get("message"))
    return ""


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9_.]{3,60}", value) is not None


def _label(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
