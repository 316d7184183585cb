"""From Google's errors and empty answers to the codes that clients know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import ima2

from .exchange import Reply

SAFETY_REASONS = frozenset(
    {
        "SAFETY",
        "IMAGE_SAFETY",
        "PROHIBITED_CONTENT",
        "IMAGE_PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "RECITATION",
        "IMAGE_RECITATION",
    }
)
"""Finish reasons that mean: the answer was withheld."""


def refused(reply: Reply) -> ima2.Ima2Error:
    """The error of an answer that is not 200. Google's own sentence is dropped, its status and reason are kept."""
    error = _error_of(reply.body)
    reason = _reason(error)
    if reply.status == 429:
        code, status = "GEMINI_API_RATE_LIMITED", 429
        text = "Gemini's rate limit or quota is used up. Wait a little, or check the plan of the key."
    elif reply.status in (400, 403):
        code, status, text = "GEMINI_API_BAD_REQUEST", reply.status, _advice(reply.status, reason)
    else:
        code, status, text = "GEMINI_API_UPSTREAM_ERROR", 502, _trouble(reply.status)
    return ima2.Ima2Error(
        code,
        status,
        text,
        upstream_code=error.get("status"),
        upstream_type=reason,
        retry_after=_retry_after(reply, error) if reply.status in (429, 503) else None,
    )


def blocked(reason: object, *, by_prompt: bool) -> ima2.Ima2Error:
    """400 ``GEMINI_API_SAFETY_BLOCKED``: the prompt was turned down, or the picture withheld."""
    what = "The prompt was rejected" if by_prompt else "The generated image was filtered"
    return ima2.Ima2Error(
        "GEMINI_API_SAFETY_BLOCKED",
        400,
        f"{what} by Google's safety filter. Change the prompt or the pictures and try again.",
        upstream_code=reason,
    )


def empty(code: str, what: str, reason: object) -> ima2.Ima2Error:
    """502: Google answered in good order, but without ``what``."""
    label = reason if isinstance(reason, str) and re.fullmatch(r"[A-Z_]{1,40}", reason) else "unknown"
    text = f"Gemini's answer holds no {what} (reason: {label}). Rephrase the prompt and try again."
    return ima2.Ima2Error(code, 502, text, upstream_code=reason)


def garbled() -> ima2.Ima2Error:
    """502 ``GEMINI_API_NETWORK_FAILED``: a 200 whose body is not the JSON it should be."""
    return ima2.Ima2Error(
        "GEMINI_API_NETWORK_FAILED", 502, "Google's answer could not be read. Check proxies on the way and try again."
    )


def _error_of(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _details(error: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith(f"google.rpc.{kind}"):
            yield detail


def _reason(error: dict[str, Any]) -> object:
    return next((detail.get("reason") for detail in _details(error, "ErrorInfo")), None)


def _retry_after(reply: Reply, error: dict[str, Any]) -> float | None:
    """Seconds to wait: of the ``RetryInfo``, else of the header."""
    told = next((str(detail.get("retryDelay", "")) for detail in _details(error, "RetryInfo")), "")
    match = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)s?", told or reply.retry_after)
    return float(match[1]) if match else None


def _advice(status: int, reason: object) -> str:
    if reason in ("API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED"):
        return "Google does not accept this Gemini API key. Save a valid one in the settings."
    if status == 403:
        return "Google does not permit this call. Check that the key or service account may use the Gemini API."
    return "Google refused the request as invalid. Try another size, model or picture."


def _trouble(status: int) -> str:
    if status == 401:
        return "Google did not accept the sign-in. Check the Gemini key or the service account."
    if status == 404:
        return "Google does not know this model or project. Check the model's name in the settings."
    return f"Gemini answered with HTTP {status}. Try again later."
