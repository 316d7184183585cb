"""What an upstream says went wrong, in any of the shapes it says it.

``{"error": {...}}`` and ``{"detail": ...}`` bodies, HTML pages, flat and nested ``error`` events, failed and incomplete
responses, failed tool calls. The upstream's sentence is only looked at to classify it; it never leaves this module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from ima2_plugins.openai.reasons import REASONS, Kind

_VAGUE = frozenset({"", "invalid_prompt", "bad_request", "invalid_request", "invalid_request_error"})
"""Codes that say so little that the sentence has to be looked at."""
_VALUE = frozenset({"invalid_value", "unsupported_value", "unsupported_parameter"})
_WORDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("version", re.compile(r"(?:newer|later) version of codex|upgrade (?:your )?codex|minimal_client_version")),
    (
        "model",
        re.compile(
            r"model.{0,120}(?:not supported|does not exist|not exist|not found|no longer|not available|deprecated"
            r"|retired|shut down)"
        ),
    ),
    ("moderation", re.compile(r"safety system|moderation|content policy|usage polic|content filter")),
    ("expired", re.compile(r"sign in again|token.{0,60}(?:expired|invalidated|revoked)")),
    ("key", re.compile(r"incorrect api key|invalid authentication|incorrect organization")),
    ("quota", re.compile(r"exceeded your current quota")),
)
_TOOL_GONE = re.compile(r"tool.choice.{0,80}not found in|image_generation.{0,60}not (?:found|available|supported)")
_DRAWING = re.compile(r"gpt-image|image model|drawing model")
_FILTERED = re.compile(r"image was filtered|generated image")


@dataclass(frozen=True, slots=True)
class UpstreamError:
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
        if self.status is not None and 300 <= self.status < 400:
            return "redirect"
        if self.status == 400 and _TOOL_GONE.search(self._words):
            return "capability"
        labelled = next((REASONS[label] for label in map(_lower, (self.code, self.type)) if label in REASONS), None)
        if labelled not in (None, "request", "server"):
            return labelled
        return self._by_words() or self._by_status() or labelled or "unknown"

    @property
    def about_drawing(self) -> bool:
        """Whether it speaks of the drawing tool's model rather than of the one that calls it."""
        return (self.param or "").startswith("tools") or bool(_DRAWING.search(self._words))

    def _by_words(self) -> Kind | None:
        status = self.status or 400
        if _lower(self.code) in _VALUE and (self.param or "").rpartition(".")[2] == "model":
            return "model"
        if _lower(self.code) not in _VAGUE or status >= 500:
            return None
        return next((kind for kind, pattern in _WORDS if pattern.search(self._words)), None)

    def _by_status(self) -> Kind | None:
        match self.status:
            case 429:
                return "rate"
            case 401:
                return "key"
            case 403:
                return "access"
            case 413:
                return "large"
            case int(status) if status >= 500:
                return "server"
            case int(status) if status >= 400:
                return "request"
        return None


def parse_body(body: bytes, status: int) -> UpstreamError:
    """The failure an HTTP answer tells of; whatever the body is, this does not fail."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return UpstreamError(status=status, html=body.lstrip()[:1] == b"<")
    return parse_value(value, status)


def parse_value(value: Any, status: int | None = None) -> UpstreamError:
    """The failure told by a JSON value: an error body, an ``error`` event, a failed item or its ``error``."""
    if not isinstance(value, dict):
        return UpstreamError(status=status, _words=_text(value))
    inner = value.get("error")
    if isinstance(inner, dict):
        return parse_value(inner, _number(value.get("status_code")) if status is None else status)
    detail = value.get("detail")
    if isinstance(detail, dict) and not inner:
        return parse_value(detail, status)
    words = " ".join(_text(part) for part in (inner, value.get("message"), detail))
    kind = value.get("type")
    return UpstreamError(
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
    said = details.get("moderation_stage", details.get("stage")) if isinstance(details, dict) else None
    if said in ("input", "output"):
        return str(said)
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


def _lower(value: str | None) -> str:
    return (value or "").lower()


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
