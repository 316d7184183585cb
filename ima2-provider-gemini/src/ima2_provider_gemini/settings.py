"""Where the provider's values come from."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, SecretStr

import ima2

MODEL_NAME = r"[A-Za-z0-9._-]{1,100}"
"""What may stand as a model's name in a URL."""


def upstream_url(value: str) -> str:
    """An address that credentials may be sent to: ``https``, or ``http`` on this machine. No trailing slash.

    Raises ``ValueError`` for anything else, also for one that holds a user, a query or a fragment.
    """
    parts = urlsplit(value)
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("an address of the form https://host is needed")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("an https address is needed (http only on this machine)")
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Url = Annotated[str, AfterValidator(upstream_url)]


class GeminiSettings(BaseModel):
    """Settings of the plugin ``gemini``. Names are those that ima2-gen users already have where it had one."""

    api_key: SecretStr | None = ima2.setting(None, env="GEMINI_API_KEY", key="geminiApiKey", help="Gemini API key")
    service_account: SecretStr | None = ima2.setting(
        None,
        env="VERTEX_SERVICE_ACCOUNT_JSON",
        key="vertexServiceAccountJson",
        help="Google Cloud service account, the JSON text of its key file",
    )
    auth_mode: str = ima2.setting(
        "",
        env="IMA2_GEMINI_AUTH_MODE",
        key="geminiAuthMode",
        help="apikey or vertex: which one to use when both are there; express (the key, at Vertex AI)"
        " or adc (Application Default Credentials)",
    )
    base_url: Url = ima2.setting(
        "https://generativelanguage.googleapis.com", env="IMA2_GEMINI_BASE_URL", key="geminiProvider.baseUrl"
    )
    vertex_base_url: Url | None = ima2.setting(
        None,
        env="IMA2_VERTEX_BASE_URL",
        key="geminiProvider.vertexBaseUrl",
        help="where Vertex AI is asked; without it the host that belongs to the location",
    )
    vertex_location: str = ima2.setting(
        "global",
        env="IMA2_VERTEX_LOCATION GOOGLE_CLOUD_LOCATION",
        key="geminiProvider.vertexLocation",
        pattern=r"^[a-z0-9-]{1,40}$",
        help="Vertex AI location: global, a multi-region (us, eu) or a region",
    )
    vertex_project: str = ima2.setting(
        "",
        env="IMA2_VERTEX_PROJECT GOOGLE_CLOUD_PROJECT",
        key="geminiProvider.vertexProject",
        pattern=r"^[A-Za-z0-9.:-]{0,100}$",
        help="Google Cloud project for Application Default Credentials that name none",
    )
    credentials_file: str = ima2.setting(
        "",
        env="GOOGLE_APPLICATION_CREDENTIALS",
        key="geminiProvider.credentialsFile",
        help="file of Application Default Credentials; without it gcloud's own, then the metadata server",
    )
    metadata_host: str = ima2.setting(
        "metadata.google.internal",
        env="GCE_METADATA_HOST",
        key="geminiProvider.metadataHost",
        pattern=r"^[A-Za-z0-9.:\[\]-]{1,255}$",
        help="the metadata server of machines at Google",
    )
    token_url: Url = ima2.setting(
        "https://oauth2.googleapis.com/token", env="IMA2_GOOGLE_TOKEN_URL", key="geminiProvider.tokenUrl"
    )
    nano_banana_2: str = ima2.setting(
        "gemini-3.1-flash-image",
        env="IMA2_GEMINI_NANO_BANANA_2",
        key="geminiProvider.nanoBanana2",
        pattern=f"^{MODEL_NAME}$",
        help="Google's name of the model nano-banana-2",
    )
    nano_banana_pro: str = ima2.setting(
        "gemini-3-pro-image",
        env="IMA2_GEMINI_NANO_BANANA_PRO",
        key="geminiProvider.nanoBananaPro",
        pattern=f"^{MODEL_NAME}$",
        help="Google's name of the model nano-banana-pro",
    )
    text_model: str = ima2.setting(
        "gemini-3.5-flash",
        env="IMA2_GEMINI_TEXT_MODEL",
        key="geminiProvider.textModel",
        pattern=f"^{MODEL_NAME}$",
        help="Google's name of the model that answers in words",
    )
    generation_timeout_ms: int = ima2.setting(
        120_000,
        env="IMA2_GEMINI_GENERATION_TIMEOUT_MS",
        key="geminiProvider.generationTimeoutMs",
        gt=0,
        help="limit of one call, in milliseconds",
    )
    status_timeout_ms: int = ima2.setting(
        3_000, env="IMA2_GEMINI_STATUS_TIMEOUT_MS", key="geminiProvider.statusTimeoutMs", gt=0
    )
