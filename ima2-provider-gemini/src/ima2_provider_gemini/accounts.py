"""What the provider can be given to act for its user, as data."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

import ima2

from .settings import GeminiSettings

CREDENTIALS = (
    ima2.Credential(
        "key",
        "Gemini API key",
        setting="api_key",
        env="GEMINI_API_KEY",
        pattern=r"AI[\x21-\x7e]{1,510}",
        hint="From Google AI Studio. Pictures are billed to its project.",
        alias="gemini",
        selects={"auth_mode": ("apikey", "express")},
    ),
    ima2.Credential(
        "service_account",
        "Vertex AI service account",
        kind="file",
        setting="service_account",
        env="VERTEX_SERVICE_ACCOUNT_JSON",
        hint="The JSON key file of a service account that may use Vertex AI. Pictures are billed to its project.",
        alias="vertex",
        needs={"type": "service_account", "project_id": ".+"},
        shown="project_id",
        selects={"auth_mode": ("vertex",)},
    ),
    ima2.Credential(
        "adc",
        "Application Default Credentials",
        kind="program",
        hint="Run `gcloud auth application-default login` and set geminiAuthMode to adc.",
    ),
)


def settings_with(settings: GeminiSettings, values: Mapping[str, str]) -> GeminiSettings:
    """The settings as they would be with other credentials, the one that is given being the one to use."""
    secrets = {one.setting: SecretStr(values[one.name]) for one in CREDENTIALS if one.setting and values.get(one.name)}
    mode = "adc" if "adc" in values else "vertex" if "service_account" in secrets else settings.auth_mode
    if "api_key" in secrets and "service_account" not in secrets and mode != "express":
        mode = "apikey"
    return settings.model_copy(update={**secrets, "auth_mode": mode})
