"""From Google's errors and empty answers to the codes that clients know."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import ima2

from .reasons import reason_of
from .transport import Reply

PREFIX = "GEMINI_API_"
"""How the provider's own codes begin where a key of the Gemini API is used."""
VERTEX_PREFIX = "VERTEX_"
"""How they begin where Vertex AI is asked."""
KEY_MISSING = "GEMINI_API_KEY_MISSING"
MAX_ERROR = 1024 * 1024
"""Bytes of an error's body that are looked into."""
_GONE = re.compile(r"\bmodels?\b.*(not found|not supported|no longer|deprecated|shut ?down|retired|discontinued)", re.I)
_LOCATION = re.compile(r"\b(user )?location is not supported\b", re.I)


class ModelGone(ima2.Ima2Error):
    """Google does not know, or no longer serves, the model that was asked for. Nothing was billed."""


@contextmanager
def lane_codes(prefix: str) -> Iterator[None]:
    """Give the provider's own codes the prefix of the service that is asked; that of a missing credential stays."""
    try:
        yield
    except ima2.Ima2Error as error:
        if error.code.startswith(PREFIX) and error.code != KEY_MISSING:
            error.code = prefix + error.code.removeprefix(PREFIX)
        raise


def error_of_reply(reply: Reply) -> ima2.Ima2Error:
    """The error of an answer that is not 200. Google's own sentence is dropped, its status and reason are kept."""
    return _failure(reply.status, _error_of(reply.body), reply.retry_after)


def error_in_answer(error: dict[str, Any]) -> ima2.Ima2Error:
    """The error that an answer with status 200 is made of: the number within counts."""
    status = error.get("code")
    return _failure(status if isinstance(status, int) else 500, error, "")


def no_result_error(code: str, what: str, reason: object, *, by_prompt: bool, billed: bool) -> ima2.Ima2Error:
    """An answer without ``what``: 400 ``GEMINI_API_SAFETY_BLOCKED`` where it was refused or withheld, else 502 with the
    ``code`` given. "Try again" is advised only where that can help and nothing was billed."""
    found = reason_of(reason, by_prompt=by_prompt)
    details = {"failureKind": found.kind, "retry": found.again and not billed}
    if found.kind != "failed":
        advice = "Change the prompt or the pictures."
        return ima2.Ima2Error(
            f"{PREFIX}SAFETY_BLOCKED", 400, f"{found.text}. {advice}", upstream_code=reason, details=details
        )
    label = reason if isinstance(reason, str) and re.fullmatch(r"[A-Z_]{1,40}", reason) else "unknown"
    text = f"Gemini's answer holds no {what} (reason: {label}). {found.text}. {_again(found.again, billed)}"
    return ima2.Ima2Error(code, 502, text, upstream_code=reason, details=details)


def unreadable_answer_error() -> ima2.Ima2Error:
    """502 ``GEMINI_API_NETWORK_FAILED``: a 200 whose body is not the JSON it should be."""
    return ima2.Ima2Error(
        f"{PREFIX}NETWORK_FAILED",
        502,
        "Google's answer could not be read, and may have been billed. Check proxies on the way.",
    )


def _again(helps: bool, billed: bool) -> str:
    if billed:
        return "The attempt was billed; rephrase the prompt before you ask again."
    return "Try again." if helps else "Rephrase the prompt."


def _failure(status: int, error: dict[str, Any], retry_header: str) -> ima2.Ima2Error:
    reason, message = _reason(error), str(error.get("message", ""))
    gone = error.get("status") == "NOT_FOUND" or (status == 400 and _GONE.search(message))
    kind: type[ima2.Ima2Error] = ModelGone if gone else ima2.Ima2Error
    if status == 429:
        code, status_used = "RATE_LIMITED", 429
        text = "Gemini's rate limit or quota is used up. Wait a little, or check the plan of the key."
    elif status in (400, 403):
        code, status_used, text = "BAD_REQUEST", status, _advice(status, reason, message)
    else:
        code, status_used, text = "UPSTREAM_ERROR", 502, _trouble(status)
    return kind(
        f"{PREFIX}{code}",
        status_used,
        text,
        upstream_code=error.get("status"),
        upstream_type=reason,
        retry_after=_retry_after(error, retry_header) if status in (429, 503) else None,
    )


def _error_of(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body) if len(body) <= MAX_ERROR else None
    except ValueError:
        return {}
    if isinstance(answer, list) and answer:
        answer = answer[0]
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _details(error: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith(f"google.rpc.{kind}"):
            yield detail


def _reason(error: dict[str, Any]) -> object:
    return next((detail.get("reason") for detail in _details(error, "ErrorInfo")), None)


def _retry_after(error: dict[str, Any], header: str) -> float | None:
    """Seconds to wait: of the ``RetryInfo``, else of the header, which may be a number or a date (RFC 9110, 10.2.3)."""
    told = next((str(detail.get("retryDelay", "")) for detail in _details(error, "RetryInfo")), "")
    match = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)s?", told or header.strip())
    if match:
        return float(match[1])
    try:
        return max(0.0, round(parsedate_to_datetime(header).timestamp() - time.time(), 1))
    except (ValueError, OverflowError):
        return None


def _advice(status: int, reason: object, message: str) -> str:
    if reason in ("API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED"):
        return "Google does not accept this Gemini API key. Save a valid one in the settings."
    if _LOCATION.search(message):
        return "Google does not offer this service at your location. Vertex AI may, with a project in another region."
    if reason == "SERVICE_DISABLED":
        return "The API is not enabled for this Google Cloud project. Enable it in the Google Cloud console."
    if status == 403:
        return "Google does not permit this call. Check that the key or service account may use the Gemini API."
    return "Google refused the request as invalid. Try another size, model or picture."


def _trouble(status: int) -> str:
    if status == 401:
        return "Google did not accept the sign-in. Check the Gemini key or the service account."
    if status == 404:
        return "Google does not know this model or project. Check the model's name and the project in the settings."
    if 300 <= status < 400:
        return ima2.redirect_error(service="Google").text
    return f"Gemini answered with HTTP {status}. Try again later."
