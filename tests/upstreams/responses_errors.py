"""Error answers of OpenAI's API and of ChatGPT's backend, in their own shapes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

MARKER = "sk-marker-5ecret-0123456789"
"""In every error text: it must never reach a user, a log or a file."""


def error(
    status: int, code: str | None, kind: str, words: str = "", headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """``{"error": {message, type, param, code}}``."""
    told = {"message": f"{words} {MARKER}", "type": kind, "param": None, "code": code, **more}
    return JSONResponse({"error": told}, status, {"x-request-id": "req_fake_1", **(headers or {})})


def bad_value(param: str, words: str, code: str = "invalid_value") -> JSONResponse:
    """400 for a field of the request."""
    return error(400, code, "invalid_request_error", words, param=param)


def bad_key() -> JSONResponse:
    """401 for a key that is none."""
    return error(401, "invalid_api_key", "invalid_request_error", "Incorrect API key provided:")


def usage_limit() -> dict[str, Any]:
    """What ChatGPT says when a plan's allowance is spent."""
    return {
        "type": "usage_limit_reached",
        "message": f"The usage limit has been reached {MARKER}",
        "plan_type": "plus",
        "resets_at": 1_790_000_000,
        "resets_in_seconds": 5400,
    }


def _soon() -> str:
    """An HTTP date a minute from now."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)


def _moderation(stage: str) -> JSONResponse:
    words = "Your request was rejected by the safety system."
    details = {"moderation_stage": stage, "categories": ["violence"]}
    kind = "image_generation_user_error"
    return error(400, "moderation_blocked", kind, words, moderation_details=details)


def trouble(words: str, body: dict[str, Any] | None = None) -> Response | None:
    """The answer that a prompt asks for with one of its words, if it does."""
    said = set(re.findall(r"[A-Z0-9_]{3,}", words))
    if "TOOLNAMED" in said and (body or {}).get("tool_choice") not in (None, "auto"):
        said.add("TOOLGONE")
    if "REFUSE" in said or "REFUSEOUT" in said:
        return _moderation("output" if "REFUSEOUT" in said else "input")
    limited = {"retry-after": "3", "retry-after-ms": "2500", "x-ratelimit-remaining-requests": "0"}
    server = "The server had an error while processing your request."
    answers: dict[str, Response] = {
        "BADVALUE": bad_value("size", "Invalid value: '1x1'."),
        "BADMODERATION": bad_value("tools[0].moderation", "Invalid value for moderation."),
        "TOOLGONE": bad_value("tool_choice", "Tool choice 'image_generation' not found in 'tools' parameter."),
        "FAIL401": bad_key(),
        "EXPIRED": error(401, None, "invalid_request_error", "The access token is expired. Please sign in again."),
        "FAIL403": error(403, "unsupported_country_region_territory", "request_forbidden", "Not supported here."),
        "HTML403": HTMLResponse(f"<!doctype html><title>Just a moment</title>{MARKER}", 403),
        "REGION": error(403, "unsupported_country_region_territory", "request_forbidden", "Not supported."),
        "RESIDENCY": error(400, "data_residency_mismatch", "invalid_request_error", "Other region."),
        "BIO": error(400, "bio_policy", "invalid_request_error", "Your request was blocked."),
        "RETRYDATE": error(429, "rate_limit_exceeded", "requests", "Later.", {"retry-after": _soon()}),
        "FAIL404": error(404, "model_not_found", "invalid_request_error", "The model does not exist."),
        "FAIL413": HTMLResponse(f"<html>Payload too large {MARKER}</html>", 413),
        "FAIL429": error(429, "rate_limit_exceeded", "requests", "Rate limit reached: Limit 500.", limited),
        "QUOTA": error(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
        "USAGELIMIT": JSONResponse({"error": usage_limit()}, 429, {"x-codex-primary-used-percent": "100"}),
        "NOTINPLAN": error(403, None, "usage_not_included", "To use this, upgrade."),
        "FAIL500": error(500, "server_error", "server_error", server),
        "FAIL503": error(503, None, "server_error", "Overloaded.", {"retry-after": "7"}),
        "HTML502": HTMLResponse(f"<html>Bad gateway {MARKER}</html>", 502),
        "DETAIL": JSONResponse({"detail": f"Unsupported parameter: temperature {MARKER}"}, 400),
        "DETAILS": JSONResponse({"detail": [{"loc": ["body"], "msg": MARKER}]}, 422),
        "ODDERROR": JSONResponse([MARKER], 400),
        "NOBODY": Response(b"", 400),
        "REDIRECT": Response(b"", 307, {"location": "http://127.0.0.1:9/elsewhere"}),
    }
    return next((answer for word, answer in answers.items() if word in said), None)
