"""What goes wrong at such a server, sorted as for every other provider: refused or failed, and whether again helps.

The labels are those of OpenAI's wire (openai 3.57.0) and of the servers that imitate it; a server's own sentence is
looked at to sort it, and never passed on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from ima2 import Ima2Error, network_error, safe_label

Kind = Literal["refused", "key", "access", "quota", "rate", "model", "path", "large", "request", "busy", "server"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind is to a client. ``status`` is ``None`` where the server's own is passed on; ``again`` says that the
    same request may succeed later and that nothing was billed."""

    code: str
    status: int | None
    text: str
    outcome: Literal["refused", "failed"] = "failed"
    again: bool = False


MEANINGS: Mapping[Kind, Meaning] = {
    "refused": Meaning(
        "SAFETY_REFUSAL", 422, "declined this for safety reasons. Change the prompt or the pictures.", "refused"
    ),
    "key": Meaning("COMPATIBLE_KEY_REJECTED", 401, "did not accept the key. Check it in the settings."),
    "access": Meaning("COMPATIBLE_KEY_REJECTED", 403, "does not let this key do that."),
    "quota": Meaning("USAGE_LIMIT_REACHED", 429, "says that the account has no credit left. Add credit first."),
    "rate": Meaning("RATE_LIMITED", 429, "takes no more requests right now. Wait a little and try again.", again=True),
    "model": Meaning("MODEL_UNAVAILABLE", None, "does not serve this model."),
    "path": Meaning(
        "COMPATIBLE_UPSTREAM_ERROR", 502, "does not know this address. Check its base_url, and what it is said to have."
    ),
    "large": Meaning("INVALID_REQUEST", 413, "finds the pictures too large. Send fewer or smaller ones."),
    "request": Meaning("INVALID_REQUEST", None, "found an invalid value. Check size, quality, model and pictures."),
    "busy": Meaning("UPSTREAM_5XX", 503, "is busy or not ready yet. Try again later.", again=True),
    "server": Meaning("UPSTREAM_5XX", None, "answered with an error of its own. Nothing was sent a second time."),
}
_LABELS: Mapping[Kind, str] = {
    "refused": (
        "moderation_blocked content_policy_violation image_content_policy_violation content_filter content_filtered "
        "safety_refusal bio_policy misalignment_policy_violation cyber_policy responsibleaipolicyviolation"
    ),
    "key": "invalid_api_key incorrect_api_key authentication_error auth_error",
    "quota": "insufficient_quota billing_hard_limit_reached budget_exceeded insufficient_credits",
    "rate": "rate_limit_exceeded rate_limit_error too_many_requests throttling_error",
    "model": "model_not_found model_not_available model_deprecated unsupported_model",
}
_KINDS = {label: kind for kind, labels in _LABELS.items() for label in labels.split()}
_WORDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("refused", re.compile(r"safety system|moderation|content polic|content management polic|usage polic|nsfw")),
    (
        "model",
        re.compile(r"model.{0,120}(?:not supported|not exist|not found|not available|no longer|deprecated|not loaded)"),
    ),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """The labels of a failure, and its sentence for sorting only."""

    status: int
    code: str = ""
    type: str = ""
    param: str = ""
    words: str = field(default="", repr=False)

    @property
    def kind(self) -> Kind:
        """What sort of failure it is: labels decide before words, words before the status."""
        for label in (self.code, self.type):
            if (known := _KINDS.get(label.lower())) is not None:
                return known
        if self.status < 500:
            for kind, pattern in _WORDS:
                if pattern.search(self.words):
                    return kind
        by_status: dict[int, Kind] = {
            401: "key", 402: "quota", 403: "access", 404: "path", 405: "path", 413: "large", 429: "rate", 503: "busy",
        }  # fmt: skip
        return by_status.get(self.status, "server" if self.status >= 500 else "request")


def read_trouble(status: int, body: Any) -> Trouble:
    """The failure that an answer tells of, in any of the shapes in use; whatever the body is, this does not fail."""
    value = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(value, dict):
        return Trouble(status, words=_text(value))
    words = " ".join(_text(value.get(name)) for name in ("message", "detail", "error"))
    return Trouble(status, _label(value.get("code")), _label(value.get("type")), _label(value.get("param")), words)


def failure(trouble: Trouble, title: str, *, wait: float | None = None, models: tuple[str, ...] = ()) -> Ima2Error:
    """The error for what a server said; ``models`` are those to name where one is not served."""
    kind = trouble.kind
    meaning = MEANINGS[kind]
    passed = trouble.status if 400 <= trouble.status < 500 or kind == "server" else 502
    details: dict[str, Any] = {"failureKind": meaning.outcome, "retry": meaning.again}
    text = f"{title} {meaning.text}"
    if kind == "model":
        details["models"] = list(models)
        text += f" Models that are known here: {', '.join(models)}." if models else ""
    return Ima2Error(
        meaning.code,
        meaning.status or passed,
        text,
        upstream_code=trouble.code,
        upstream_type=trouble.type,
        upstream_param=trouble.param,
        retry_after=wait,
        details=details,
    )


def refusal(title: str, label: str = "content_filter") -> Ima2Error:
    """422 ``SAFETY_REFUSAL``, told inside a success."""
    return failure(Trouble(400, code=label), title)


def unreached(error: Exception, title: str, *, paid: bool) -> Ima2Error:
    """No connection, or one that broke. ``paid`` says that what was sent would have been billed."""
    import httpx

    found = network_error(error, service=title)
    sent = paid and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
    text = f"{found.text} The call may have been billed." if sent else found.text
    again = not sent and found.details["networkReason"] in ("refused", "timeout", "network", "dns")
    return Ima2Error(found.code, found.status, text, details={**found.details, "failureKind": "failed", "retry": again})


def timed_out(title: str, seconds: float, *, paid: bool) -> Ima2Error:
    """504 ``NETWORK_TIMEOUT``: the whole exchange took longer than it may."""
    billed = "; the call may have been billed" if paid else ""
    text = f"{title} did not finish within {seconds:.0f} s{billed}. The setting timeout_s of this server allows more."
    return Ima2Error("NETWORK_TIMEOUT", 504, text, details={"failureKind": "failed", "retry": False})


def unreadable(title: str) -> Ima2Error:
    """502 ``COMPATIBLE_ANSWER_INVALID``: a success that is none."""
    text = f"{title} answered with something that is not OpenAI's wire. Check its base_url."
    return Ima2Error("COMPATIBLE_ANSWER_INVALID", 502, text, details={"failureKind": "failed", "retry": False})


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds an answer asks to wait, from ``retry-after`` as seconds or a date."""
    value = headers.get("retry-after", "")
    try:
        if value.replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()) if value else None
    except (ValueError, TypeError):
        return None


def _text(value: Any) -> str:
    return value[:2000].lower() if isinstance(value, str) else ""


def _label(value: Any) -> str:
    return safe_label(value) or "" if isinstance(value, str) else ""
