"""Which credential is used: an API key, a service account, or Application Default Credentials."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

import ima2

from .settings import GeminiSettings

MISSING = "Gemini API key or Vertex AI credentials not configured"
ADVICE = "Set GEMINI_API_KEY, or save a key or a service account in the settings."
MAX_ACCOUNT_CHARS = 51_200
PROJECT = r"[A-Za-z0-9.:-]{1,100}"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key. It travels in a header, never in a URL. ``express``: it is shown to Vertex AI, not to the Gemini API."""

    value: str = field(repr=False)
    express: bool = False


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The fields of a service account's key file that signing in takes."""

    project: str
    email: str
    key_id: str = field(repr=False)
    private_key: str = field(repr=False)
    quota_project: str = ""


@dataclass(frozen=True, slots=True)
class DefaultCredentials:
    """Application Default Credentials: those in a file, or with an empty ``path`` those of the metadata server.

    ``stamp`` is the file's time, so that another login counts at once.
    """

    path: str
    stamp: int = 0


Credential = ApiKey | ServiceAccount | DefaultCredentials


def credential(settings: GeminiSettings) -> Credential:
    """What to sign in with, decided anew for each call so that a saved key counts at once.

    In the mode ``vertex`` the service account if there is one, else the key, else Application Default Credentials; in
    ``express`` the key, at Vertex AI; in ``adc`` Application Default Credentials; in any other mode the key if there is
    one, else the service account. Raises 401 ``GEMINI_API_KEY_MISSING`` when there is none, or the one to use is
    damaged: an unreadable service account is never replaced by the key.
    """
    from .default_credentials import locate

    key, account = _text(settings.api_key), _text(settings.service_account)
    if settings.auth_mode == "adc":
        return locate(settings)
    if settings.auth_mode == "express" and key:
        return ApiKey(_check_key(key), express=True)
    if account and (settings.auth_mode == "vertex" or not key):
        return service_account(account)
    if key:
        return ApiKey(_check_key(key))
    if settings.auth_mode == "vertex":
        return locate(settings)
    raise no_credential(f"{MISSING}. {ADVICE}")


def service_account(text: str) -> ServiceAccount:
    """Read a key file's JSON text. Raises 401 ``GEMINI_API_KEY_MISSING``; nothing of the text is in the error."""
    found = document(text)
    if found is None or found.get("type") != "service_account":
        raise no_credential(
            "The Vertex AI service account is not the JSON text of a service account key. Save it again."
        )
    project, email, private_key = (found.get(name) for name in ("project_id", "client_email", "private_key"))
    if not (isinstance(project, str) and re.fullmatch(PROJECT, project)):
        raise no_credential("The Vertex AI service account names no valid project. Save it again.")
    if not (isinstance(email, str) and email and isinstance(private_key, str) and private_key):
        raise no_credential("The Vertex AI service account lacks its address or its private key. Save it again.")
    key_id = found.get("private_key_id")
    return ServiceAccount(
        project, email, key_id if isinstance(key_id, str) else "", private_key, project_of(found, "quota_project_id")
    )


def document(text: str) -> dict[str, Any] | None:
    """The JSON object that a credential's text is, ``None`` for anything else."""
    try:
        found = json.loads(text) if len(text) <= MAX_ACCOUNT_CHARS else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def project_of(found: dict[str, Any], name: str) -> str:
    """A project that a document names, empty where it names none that can be one."""
    value = found.get(name)
    return value if isinstance(value, str) and re.fullmatch(PROJECT, value) else ""


def no_credential(text: str) -> ima2.Ima2Error:
    """401 ``GEMINI_API_KEY_MISSING``."""
    return ima2.Ima2Error("GEMINI_API_KEY_MISSING", 401, text)


def _check_key(key: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{1,512}", key):
        raise no_credential("The stored Gemini API key holds characters no key has. Save it again.")
    return key


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret else ""
