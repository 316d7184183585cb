"""What the labels in OpenAI's answers mean: refused or failed, what it is called here, whether trying again helps.

Labels are the codes and types of HTTP errors, ``error`` events and failed responses, reasons of incomplete responses
and the errors of image calls (openai 3.57.0, Python SDK; ChatGPT's own from openai/codex). The tables of
``docs/providers.md`` are made from these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "moderation", "policy", "usage", "plan", "quota", "rate", "expired", "key", "capability", "model", "version",
    "edge", "redirect", "server", "broken", "pictures", "region", "residency", "access", "large", "allowance",
    "stopped", "words-only", "request", "unknown",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of failure is to a client.

    ``outcome`` is ``refused`` where a rule forbids the request, else ``failed``; ``status`` is ``None`` where the
    upstream's own is passed on. ``again`` says that the same request may succeed later and that nothing was billed:
    only such sentences advise to try again.
    """

    code: str
    status: int | None
    outcome: Literal["refused", "failed"] = "failed"
    again: bool = False


MEANINGS: Mapping[Kind, Meaning] = MappingProxyType(
    {
        "moderation": Meaning("SAFETY_REFUSAL", 422, "refused"),
        "policy": Meaning("SAFETY_REFUSAL", 422, "refused"),
        "usage": Meaning("USAGE_LIMIT_REACHED", 429, again=True),
        "plan": Meaning("USAGE_LIMIT_REACHED", 429),
        "quota": Meaning("AUTH_API_KEY_INVALID", 429),
        "rate": Meaning("RATE_LIMITED", 429, again=True),
        "expired": Meaning("AUTH_CHATGPT_EXPIRED", 401),
        "key": Meaning("AUTH_API_KEY_INVALID", 401),
        "capability": Meaning("OAUTH_IMAGE_CAPABILITY_UNAVAILABLE", 422),
        "model": Meaning("MODEL_UNAVAILABLE", None),
        "version": Meaning("CLIENT_VERSION_REQUIRED", 400),
        "edge": Meaning("OAUTH_UNAVAILABLE", None, again=True),
        "redirect": Meaning("UPSTREAM_REDIRECT", 502),
        "server": Meaning("UPSTREAM_5XX", None),
        "broken": Meaning("RESPONSES_STREAM_ERROR", 502),
        "pictures": Meaning("INVALID_REQUEST", 400),
        "region": Meaning("INVALID_REQUEST", None),
        "residency": Meaning("INVALID_REQUEST", None),
        "access": Meaning("INVALID_REQUEST", None),
        "large": Meaning("INVALID_REQUEST", None),
        "allowance": Meaning("IMAGE_TOOL_FAILED", 422),
        "stopped": Meaning("IMAGE_TOOL_FAILED", 422),
        "words-only": Meaning("IMAGE_UNSUPPORTED", 403),
        "request": Meaning("INVALID_REQUEST", None),
        "unknown": Meaning("RESPONSES_STREAM_ERROR", 502),
    }
)

_LABELS: Mapping[Kind, str] = {
    "moderation": (
        "moderation_blocked image_content_policy_violation content_policy_violation content_filter "
        "moderation_refused safety_refusal"
    ),
    "policy": "bio_policy misalignment_policy_violation cyber_policy",
    "usage": "usage_limit_reached",
    "plan": "usage_not_included",
    "quota": "insufficient_quota billing_hard_limit_reached",
    "rate": "rate_limit_exceeded rate_limit_error requests tokens too_many_requests",
    "expired": "token_expired token_invalidated token_revoked",
    "key": "invalid_api_key incorrect_api_key account_deactivated",
    "model": "model_not_found model_not_available model_deprecated unsupported_model",
    "server": "server_error internal_server_error server_is_overloaded overloaded vector_store_timeout",
    "pictures": (
        "image_too_small image_too_large image_parse_error image_file_too_large invalid_image invalid_image_format "
        "invalid_base64_image invalid_image_url invalid_image_mode unsupported_image_media_type empty_image_file "
        "failed_to_download_image image_file_not_found"
    ),
    "region": "unsupported_country_region_territory",
    "residency": "data_residency_mismatch",
    "allowance": "max_output_tokens",
    "stopped": "max_messages steered",
    "words-only": "subscription_sharing_unsupported_capability",
    "request": (
        "bad_request invalid_request invalid_request_error invalid_value invalid_size invalid_type invalid_parameter "
        "missing_required_parameter unsupported_parameter unsupported_value unknown_parameter invalid_prompt "
        "context_length_exceeded image_generation_user_error"
    ),
}
REASONS: Mapping[str, Kind] = MappingProxyType(
    {label: kind for kind, labels in _LABELS.items() for label in labels.split()}
)
"""Every label that is known, and the kind of failure it stands for."""
