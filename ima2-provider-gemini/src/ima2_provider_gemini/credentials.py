"""Which credential is used: an API key, or a Google Cloud service account."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from pydantic import SecretStr

import ima2

from .settings import GeminiSettings

MISSING = "Gemini API key or Vertex AI credentials not configured"
ADVICE = "Set GEMINI_API_KEY, or save a key or a service account in the settings."
MAX_ACCOUNT_CHARS = 51_200


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the Gemini API. It travels in a header, never in a URL."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The fields of a service account's key file that signing in takes."""

    project: str
    email: str
    key_id: str = field(repr=False)
    private_key: str = field(repr=False)


def credential(settings: GeminiSettings) -> ApiKey | ServiceAccount:
    """What to sign in with, decided anew for each call so that a saved key counts at once.

    In the mode ``vertex`` the service account if there is one, else the key; in any other mode the key if there is one,
    else the service account. Raises 401 ``GEMINI_API_KEY_MISSING`` when there is none, or the one to use is damaged: an
    unreadable service account is never replaced by the key.
    """
    key, account = _text(settings.api_key), _text(settings.service_account)
    if account and (settings.auth_mode == "vertex" or not key):
        return service_account(account)
    if not key:
        raise missing(f"{MISSING}. {ADVICE}")
    if not re.fullmatch(r"[\x21-\x7e]{1,512}", key):
        raise missing("The stored Gemini API key holds characters no key has. Save it again.")
    return ApiKey(key)


def service_account(text: str) -> ServiceAccount:
    """Read a key file's JSON text. Raises 401 ``GEMINI_API_KEY_MISSING``; nothing of the text is in the error."""
    try:
        found = json.loads(text) if len(text) <= MAX_ACCOUNT_CHARS else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise missing("The Vertex AI service account is not the JSON text of a service account key. Save it again.")
    project, email, private_key = (found.get(name) for name in ("project_id", "client_email", "private_key"))
    if not (isinstance(project, str) and re.fullmatch(r"[A-Za-z0-9.:-]{1,100}", project)):
        raise missing("The Vertex AI service account names no valid project. Save it again.")
    if not (isinstance(email, str) and email and isinstance(private_key, str) and private_key):
        raise missing("The Vertex AI service account lacks its address or its private key. Save it again.")
    key_id = found.get("private_key_id")
    return ServiceAccount(project, email, key_id if isinstance(key_id, str) else "", private_key)


def missing(text: str) -> ima2.Ima2Error:
    """401 ``GEMINI_API_KEY_MISSING``."""
    return ima2.Ima2Error("GEMINI_API_KEY_MISSING", 401, text)


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret else ""
