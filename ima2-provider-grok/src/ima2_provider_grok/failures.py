"""What xAI's refusals mean here: one table of stages, one way from an answer to an `Ima2Error`.

xAI says ``{"code": "<text>", "error": "<text>"}``, progrok ``{"error": {"message", "type"}}``; both are read, neither
is repeated: upstream words may hold the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ima2 import Ima2Error, Json

_MODERATION = re.compile(
    r"moderat|safety system|content[_ ]polic|usage[_ ]polic|violat\w* .{0,40}(?:polic|guideline)", re.IGNORECASE
)
_UNSAFE = "xAI's safety rules do not allow this picture. Change the prompt or the pictures."
_WRONG_KEY = re.compile(r"(?:incorrect|invalid) api key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stage:
    """One upstream call in a pipeline: how to name it and which code each kind of failure has.

    ``refused`` answers other 4xx. ``uniform`` stages answer every HTTP status with ``refused`` (a 5xx as 502).
    """

    title: str
    refused: str
    timeout: str
    network: str
    uniform: bool = False
    moderated: bool = False
    """Whether a refusal for its content is 422 ``SAFETY_REFUSAL``."""


SEARCH = Stage("web search", "GROK_SEARCH_BAD_REQUEST", "GROK_SEARCH_TIMEOUT", "GROK_SEARCH_NETWORK_FAILED")
PLAN = Stage("planner", "GROK_PLANNER_BAD_REQUEST", "GROK_PLANNER_TIMEOUT", "GROK_PLANNER_NETWORK_FAILED")
IMAGE = Stage("image call", "GROK_BAD_REQUEST", "GENERATION_TIMEOUT", "GROK_NETWORK_FAILED", moderated=True)
TEXT = Stage("text call", "GROK_BAD_REQUEST", "GENERATION_TIMEOUT", "GROK_NETWORK_FAILED")
MODELS = Stage("model list", "GROK_BAD_REQUEST", "GENERATION_TIMEOUT", "GROK_NETWORK_FAILED")
VIDEO_PLAN = Stage("planner", PLAN.refused, PLAN.timeout, PLAN.network, uniform=True)
VIDEO_ORDER = Stage(
    "video order", "GROK_VIDEO_REQUEST_FAILED", "GROK_VIDEO_TIMEOUT", "GROK_VIDEO_REQUEST_FAILED", uniform=True
)
VIDEO_POLL = Stage("video poll", "GROK_VIDEO_POLL_FAILED", "GROK_VIDEO_TIMEOUT", "GROK_VIDEO_POLL_FAILED", uniform=True)


class Refusal(Ima2Error):
    """An HTTP answer that is not a success. ``http_status`` is the upstream's own."""

    http_status: int = 0


def refusal(stage: Stage, status: int, body: Json, headers: Mapping[str, str], login_hint: str) -> Refusal:
    """The error of an HTTP answer that is not a success. ``login_hint`` says what to do about credentials."""
    code, kind, words = labels(body)
    extra: dict[str, Any] = {"upstream_code": None if " " in str(code) else code, "upstream_type": kind}
    if status == 429:
        extra["retry_after"] = retry_after(headers)
    unwanted = status < 500 and is_moderation(code, words)
    if unwanted:
        extra["details"] = {"moderationStage": _moderation_stage(words)}
    if unwanted and stage.moderated:
        error = Refusal("SAFETY_REFUSAL", 422, _UNSAFE, **extra)
    else:
        own, answered, told = _classified(stage, status, words)
        error = Refusal(own, answered, _sentence(stage, told, login_hint), **extra)
    error.http_status = status
    return error


def _classified(stage: Stage, status: int, words: str) -> tuple[str, int, int]:
    """Code and status to answer with, and the status to speak of. (xAI calls a wrong key a 400.)"""
    told = 401 if status == 400 and _WRONG_KEY.search(words) else status
    if stage.uniform:
        return stage.refused, status if 400 <= status < 500 else 502, told
    if status == 429:
        return "GROK_RATE_LIMITED", 429, told
    if told in (401, 403):
        return "GROK_AUTH_FAILED", 502, told
    if status >= 500 or status < 400:
        return "GROK_UPSTREAM_ERROR", 502, told
    return stage.refused, status, told


def _sentence(stage: Stage, status: int, login_hint: str) -> str:
    if status == 429:
        return f"xAI allows no more requests for now (at the {stage.title}). Wait a little and try again."
    if status == 401:
        return f"xAI did not accept the credentials (at the {stage.title}). {login_hint}"
    if status == 403:
        return (
            f"xAI denied access (at the {stage.title}): the account may lack credits or the subscription this needs. "
            f"{login_hint}"
        )
    if 400 <= status < 500:
        return f"xAI refused the {stage.title} with HTTP {status}. Check the prompt, the model and the pictures."
    return f"xAI had a fault of its own (HTTP {status} at the {stage.title}). Try again later."


def moderated() -> Ima2Error:
    """The refusal of a picture that was made, for its content."""
    return Ima2Error("SAFETY_REFUSAL", 422, _UNSAFE, details={"moderationStage": "output"})


def is_about_content(error: Ima2Error) -> bool:
    """Whether `refusal` saw a content rule behind an error."""
    return "moderationStage" in error.details


def _moderation_stage(words: str) -> str:
    if re.search(r"(?:request|prompt) was rejected|input", words, re.IGNORECASE):
        return "input"
    return "output" if re.search(r"image was filtered|generated|output", words, re.IGNORECASE) else "unknown"


def timed_out(stage: Stage, seconds: float) -> Ima2Error:
    """504: no whole answer in time."""
    return Ima2Error(
        stage.timeout, 504, f"xAI's {stage.title} gave no answer within {seconds:.0f} seconds. Try again later."
    )


def unreachable(stage: Stage) -> Ima2Error:
    """502: the connection could not be made or broke."""
    return Ima2Error(
        stage.network, 502, f"xAI could not be reached for the {stage.title}. Check the network and try again."
    )


def unreadable(stage: Stage) -> Ima2Error:
    """502: a success that is not JSON."""
    return Ima2Error(stage.network, 502, f"xAI's answer to the {stage.title} could not be read. Try again.")


def is_moderation(code: object, words: str) -> bool:
    """Whether an upstream error speaks of its content rules."""
    return bool(_MODERATION.search(words) or _MODERATION.search(str(code or "")))


def labels(body: Json) -> tuple[object, object, str]:
    """Code, type and words of an error body of either shape. The words are for classifying, never for showing."""
    if not isinstance(body, Mapping):
        return None, None, ""
    error = body.get("error")
    if isinstance(error, Mapping):
        return error.get("code"), error.get("type"), str(error.get("message") or "")
    return body.get("code"), None, f"{body.get('code') or ''} {error if isinstance(error, str) else ''}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a ``Retry-After`` header, when it gives seconds."""
    value = headers.get("retry-after", "")
    return float(value) if re.fullmatch(r"\d{1,6}(\.\d+)?", value) else None
