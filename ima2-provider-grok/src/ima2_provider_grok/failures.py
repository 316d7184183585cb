"""What xAI's refusals mean here: one table of stages, one way from an answer to an `Ima2Error`.

xAI says ``{"code": "<text>", "error": "<text>"}``, progrok ``{"error": {"message", "type"}}``; both are read, neither
is repeated: upstream words may hold the prompt. The table of codes is in `ima2_provider_grok.outcomes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ima2 import Ima2Error, Json, network_error
from ima2_provider_grok import outcomes
from ima2_provider_grok.outcomes import AGAIN, MEANINGS

_MODERATION = re.compile(
    r"moderat|safety system|content[_ ]polic|usage[_ ]polic|violat\w* .{0,40}(?:polic|guideline)", re.IGNORECASE
)
_UNSAFE = "xAI's safety rules do not allow this picture. Change the prompt or the pictures."
_WRONG_KEY = re.compile(r"(?:incorrect|invalid) api key", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"model_not_found|\bmodel\b.{0,80}(?:not found|does ?n[o']t exist|not supported|unsupported|no longer|retired"
    r"|deprecated|unknown|not available|unavailable|been removed)|(?:unknown|unsupported|invalid) model\b",
    re.IGNORECASE | re.DOTALL,
)
_PLACE = re.compile(r"\b(?:location|country|region)\b.{0,60}(?:not supported|unsupported|not available)", re.IGNORECASE)
_UNSENT, _UNUSABLE = ("dns", "refused", "network"), ("certificate", "tls", "proxy", "address", "redirect")
"""Reasons why nothing was sent: those that may pass by themselves, and those that somebody has to put right."""
_EXHAUSTED = re.compile(r"exhausted|quota|credits?\b|rate.?limit|spending limit", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stage:
    """One upstream call in a pipeline: how to name it and which code each kind of failure has.

    ``refused`` answers other 4xx. ``uniform`` stages answer every HTTP status with ``refused`` (a 5xx as 502).
    ``most`` is the size of the largest answer that is read, in bytes once it is decompressed.
    """

    title: str
    refused: str
    timeout: str
    network: str
    uniform: bool = False
    moderated: bool = False
    """Whether a refusal for its content is 422 ``SAFETY_REFUSAL``."""
    most: int = 8 << 20


SEARCH = Stage("web search", "GROK_SEARCH_BAD_REQUEST", "GROK_SEARCH_TIMEOUT", "GROK_SEARCH_NETWORK_FAILED")
PLAN = Stage("planner", "GROK_PLANNER_BAD_REQUEST", "GROK_PLANNER_TIMEOUT", "GROK_PLANNER_NETWORK_FAILED")
IMAGE = Stage(
    "image call", "GROK_BAD_REQUEST", "GENERATION_TIMEOUT", "GROK_NETWORK_FAILED", moderated=True, most=96 << 20
)
"""Its answer may hold pictures: of the 50 MiB that a download may have, as base64, with some room."""
TEXT = Stage("text call", "GROK_BAD_REQUEST", "GENERATION_TIMEOUT", "GROK_NETWORK_FAILED")
MODELS = Stage("model list", "GROK_BAD_REQUEST", "GENERATION_TIMEOUT", "GROK_NETWORK_FAILED")
VIDEO_PLAN = Stage("planner", PLAN.refused, PLAN.timeout, PLAN.network, uniform=True)
VIDEO_ORDER = Stage(
    "video order", "GROK_VIDEO_REQUEST_FAILED", "GROK_VIDEO_TIMEOUT", "GROK_VIDEO_REQUEST_FAILED", uniform=True
)
VIDEO_POLL = Stage("video poll", "GROK_VIDEO_POLL_FAILED", "GROK_VIDEO_TIMEOUT", "GROK_VIDEO_POLL_FAILED", uniform=True)


class UpstreamError(Ima2Error):
    """An HTTP answer that is not a success. ``http_status`` is the upstream's own."""

    http_status: int = 0
    no_model: bool = False
    """Whether it says that there is no such model (any more). Nothing was made, so nothing was billed."""


def refusal(stage: Stage, status: int, body: Json, headers: Mapping[str, str], login_hint: str) -> UpstreamError:
    """The error of an HTTP answer that is not a success. ``login_hint`` says what to do about credentials."""
    code, kind, words = labels(body)
    extra: dict[str, Any] = {"upstream_code": None if " " in str(code) else code, "upstream_type": kind}
    if status == 429:
        extra["retry_after"] = retry_after(headers)
    unwanted = status < 500 and is_moderation(code, words)
    meant = "content" if unwanted and stage.moderated else _kind(status, words)
    extra["details"] = outcomes.kind_of("content" if unwanted else meant)
    if unwanted:
        extra["details"]["moderationStage"] = _moderation_stage(words)
    text = _sentence(stage, meant, status, login_hint) + (AGAIN if MEANINGS[meant].again else "")
    error = UpstreamError(*_name(stage, meant, status), text, **extra)
    error.http_status = status
    error.no_model = status in (400, 404, 410, 422) and not unwanted and bool(_NO_MODEL.search(f"{code} {words}"))
    return error


def error_in_success(stage: Stage, answer: Mapping[str, Json], login_hint: str) -> UpstreamError | None:
    """The error that an answer with a good HTTP status holds in place of a result, ``None`` without one."""
    code, _, words = labels(answer)
    if not answer.get("error") or not words.strip():
        return None
    status = 429 if _EXHAUSTED.search(f"{code} {words}") else 400 if is_moderation(code, words) else 502
    return refusal(stage, status, answer, {}, login_hint)


def _kind(status: int, words: str) -> str:
    """The kind of a refusal. (xAI calls a wrong key a 400.)"""
    if _PLACE.search(words) and 400 <= status < 500:
        return "region"
    if status == 400 and _WRONG_KEY.search(words):
        return "credentials"
    known = {401: "credentials", 403: "access", 429: "rate"}
    return known.get(status, "redirect" if status < 400 else "request" if status < 500 else "fault")


def _name(stage: Stage, kind: str, status: int) -> tuple[str, int]:
    """Code and status to answer with: those of the kind, or of a stage that has one code for everything."""
    if stage.uniform:
        return stage.refused, status if 400 <= status < 500 else 502
    meaning = MEANINGS[kind]
    return meaning.code or stage.refused, meaning.status or status


def _sentence(stage: Stage, kind: str, status: int, login_hint: str) -> str:
    where = f"(at the {stage.title})"
    sentences = {
        "content": _UNSAFE,
        "region": f"xAI does not offer this in your country or region {where}.",
        "rate": f"xAI allows no more requests for now {where}.",
        "credentials": f"xAI did not accept the credentials {where}. {login_hint}",
        "access": (
            f"xAI denied access {where}: the account may lack credits or the subscription this needs. {login_hint}"
        ),
        "request": f"xAI refused the {stage.title} with HTTP {status}. Check the prompt, the model and the pictures.",
        "redirect": f"The address set for xAI leads elsewhere (HTTP {status} at the {stage.title}). Set the final one.",
    }
    fault = f"xAI had a fault of its own (HTTP {status} at the {stage.title}). Nothing was sent a second time."
    return sentences.get(kind, fault)


def output_refusal(reason: object = None) -> Ima2Error:
    """The refusal of a picture that was made, for its content. ``reason`` is xAI's ``block_reason``."""
    return outcomes.error("output", _UNSAFE, upstream_code=reason, details={"moderationStage": "output"})


def model_unavailable(model: str, others: Iterable[str], status: int) -> Ima2Error:
    """``MODEL_UNAVAILABLE``: xAI does not offer the model (any more); ``others`` are those that work."""
    names = list(others)
    advice = f"These work: {', '.join(names)}." if names else "Choose another one."
    return outcomes.error("model", f"xAI does not offer {model}. {advice}", status=status, details={"models": names})


def is_about_content(error: Ima2Error) -> bool:
    """Whether `refusal` saw a content rule behind an error."""
    return "moderationStage" in error.details


def _moderation_stage(words: str) -> str:
    if re.search(r"(?:request|prompt) was rejected|input", words, re.IGNORECASE):
        return "input"
    return "output" if re.search(r"image was filtered|generated|output", words, re.IGNORECASE) else "unknown"


def timeout_error(stage: Stage, seconds: float) -> Ima2Error:
    """504: no whole answer in time. What was asked for may have been billed."""
    text = f"xAI's {stage.title} gave no answer within {seconds:.0f} seconds. Nothing was sent a second time."
    return outcomes.error("timeout", text, code=stage.timeout)


def connection_error(stage: Stage, cause: Exception) -> Ima2Error:
    """502: the connection could not be made, or broke; the sentence says which, and where to look."""
    known = network_error(cause, service="xAI", code=stage.network)
    reason = known.details["networkReason"]
    kind = "unreached" if reason in _UNSENT else "unusable" if reason in _UNUSABLE else "broken"
    details = {**outcomes.kind_of(kind), **known.details}
    return outcomes.error(kind, f"At the {stage.title}: {known.text}", code=stage.network, details=details)


def format_error(stage: Stage) -> Ima2Error:
    """502: a success that is not JSON."""
    return outcomes.error("broken", f"xAI's answer to the {stage.title} could not be read.", code=stage.network)


def size_error(stage: Stage) -> Ima2Error:
    """502: an answer without end."""
    text = f"xAI's answer to the {stage.title} is larger than the {stage.most >> 20} MiB it may have."
    return outcomes.error("broken", text, code=stage.network)


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
    """Seconds of a ``Retry-After`` header, which gives seconds or a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,6}(\.\d+)?", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, round((moment - datetime.now(UTC)).total_seconds(), 1))
