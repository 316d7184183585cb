"""Failures as a person can understand them: one mapping for every route, every lane and both directions of a call.

The sentences are fixed per kind and hold fragments that the web page recognises; nothing an upstream wrote
is passed on but short labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from ima2 import Ima2Error
from ima2_plugins.openai.complaint import Complaint

if TYPE_CHECKING:
    import httpx

Lane = Literal["key", "proxy", "login"]
"""Who is asked: the API with a key, ChatGPT through a local proxy, or ChatGPT with the login itself."""

REFUSED = {
    "input": "The request was rejected by the provider's safety system. Change the prompt or the pictures.",
    "output": "The generated image was filtered by the provider's safety system. Change the prompt and try again.",
    None: "The provider declined this for safety reasons. Change the prompt or the pictures and try again.",
}
_EXPIRED = "The ChatGPT login is no longer valid. Run `codex login` to sign in again, then try once more."
_BAD_KEY = "OpenAI did not accept the API key. Check the key in the settings or in OPENAI_API_KEY."
_NO_CREDIT = "The OpenAI account of this API key has no credit left. Add credit or raise its limit, then try again."


def refusal(complaint: Complaint, *, stage: str | None = None) -> Ima2Error:
    """422 ``SAFETY_REFUSAL``, with the stage where it is known: the request itself or the picture made of it."""
    known = stage or complaint.stage
    details = {"moderationStage": known} if known else {}
    return _error(complaint, "SAFETY_REFUSAL", 422, REFUSED[known], details=details)


def failure(complaint: Complaint, lane: Lane, *, wait: float | None = None) -> Ima2Error:
    """The error for what an upstream complained about. ``wait`` is how many seconds it asks to wait."""
    status = complaint.status
    match complaint.kind:
        case "moderation":
            return refusal(complaint)
        case "usage":
            return _usage(complaint, wait)
        case "quota":
            return _error(complaint, "AUTH_API_KEY_INVALID", 429, _NO_CREDIT)
        case "rate":
            text = "OpenAI takes no more requests from this account right now. Wait a little and try again."
            return _error(complaint, "RATE_LIMITED", 429, text, retry_after=wait)
        case "expired" if lane != "key":
            return _error(complaint, "AUTH_CHATGPT_EXPIRED", 401, _EXPIRED)
        case "expired" | "key":
            return _login(complaint, lane)
        case "capability":
            text = "This account or model does not offer the image tool at the moment. Try another model."
            return _error(complaint, "OAUTH_IMAGE_CAPABILITY_UNAVAILABLE", 422, text)
        case "edge":
            return _edge(complaint, lane)
        case "server" if status is not None and status >= 500:
            text = f"OpenAI answered with an error of its own ({status}). Nothing was retried; try again later."
            return _error(complaint, "UPSTREAM_5XX", status, text, retry_after=wait)
        case "server" | "unknown":
            text = "OpenAI broke the answer off with an error event. Try again."
            return _error(complaint, "RESPONSES_STREAM_ERROR", 502, text)
        case _:
            return _request(complaint)


def _usage(complaint: Complaint, wait: float | None) -> Ima2Error:
    seconds = complaint.resets_in if complaint.resets_in is not None else wait
    if "usage_not_included" in (complaint.code, complaint.type):
        text = "This ChatGPT plan does not include the feature. Use another plan or an API key."
    else:
        text = "The usage limit of this ChatGPT plan is reached. Wait until it resets, or use an API key."
    return _error(complaint, "USAGE_LIMIT_REACHED", 429, text, retry_after=seconds)


def _login(complaint: Complaint, lane: Lane) -> Ima2Error:
    labelled = (complaint.code or "").endswith("api_key")
    if lane == "key" or labelled:
        return _error(complaint, "AUTH_API_KEY_INVALID", 401, _BAD_KEY)
    return _error(complaint, "AUTH_CHATGPT_EXPIRED", 401, _EXPIRED)


def _edge(complaint: Complaint, lane: Lane) -> Ima2Error:
    status = complaint.status or 403
    if lane == "key":
        return _error(complaint, "NETWORK_FAILED", status, "Something between here and OpenAI blocked the request.")
    text = "ChatGPT's edge protection blocked this connection. Wait a while, or try from another network."
    return _error(complaint, "OAUTH_UNAVAILABLE", status, text)


def _request(complaint: Complaint) -> Ima2Error:
    status = complaint.status if complaint.status is not None and complaint.status < 500 else 400
    if status == 403:
        text = "OpenAI does not let this account do that. Check the account's access and verification."
    elif status == 404:
        text = "OpenAI does not know this model or address. Choose another model."
    elif status == 413:
        text = "The pictures of this request are too large for OpenAI. Send fewer or smaller ones."
    else:
        text = "OpenAI found an invalid request value. Check size, quality, model and pictures."
    return _error(complaint, "INVALID_REQUEST", status, text)


def unreachable(error: httpx.RequestError, lane: Lane) -> Ima2Error:
    """No connection, or one that broke. ``OAUTH_UNAVAILABLE`` only where a local proxy was never reached."""
    import httpx

    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        if lane == "proxy":
            text = (
                "The local ChatGPT proxy is not running. Start it, or run `codex login` and unset IMA2_NO_OAUTH_PROXY."
            )
            return Ima2Error("OAUTH_UNAVAILABLE", 503, text)
        return Ima2Error("NETWORK_FAILED", 502, "OpenAI could not be reached. Check the network and try again.")
    return Ima2Error("NETWORK_FAILED", 502, "The connection broke before the answer was complete. Try again.")


def timed_out(seconds: float) -> Ima2Error:
    """504: the whole exchange took longer than it may."""
    text = f"OpenAI did not finish within {seconds:.0f} s. Try a smaller size or a lower quality."
    return Ima2Error("RESPONSES_IMAGE_TIMEOUT", 504, text)


def too_large() -> Ima2Error:
    """502: an answer beyond every sane size."""
    return Ima2Error("RESPONSES_STREAM_ERROR", 502, "OpenAI's answer was larger than any picture can be. Try again.")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds an answer asks to wait: ``retry-after-ms``, or ``retry-after`` as seconds or a date."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after", "")
        if value.replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()) if value else None
    except (ValueError, TypeError):
        return None


def _error(
    complaint: Complaint,
    code: str,
    status: int,
    text: str,
    *,
    retry_after: float | None = None,
    details: Mapping[str, Any] | None = None,
) -> Ima2Error:
    return Ima2Error(
        code,
        status,
        text,
        upstream_code=complaint.code,
        upstream_type=complaint.type,
        upstream_param=complaint.param,
        retry_after=retry_after,
        details=details,
    )
