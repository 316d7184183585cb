"""What a person can set, under the names the reference used."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from ima2 import setting
from ima2_plugins.openai.catalogue import EFFORTS

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def service_url(value: str) -> str:
    """A base address without its trailing slash: ``https``, or ``http`` on this machine only (``ValueError``).

    Keys and tokens travel to this address, so anything else is refused.
    """
    parts = urlsplit(value.strip())
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not secure or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an https address, or http on 127.0.0.1, without user name or query")
    return value.strip().rstrip("/")


ServiceUrl = Annotated[str, AfterValidator(service_url)]
Effort = Annotated[str, Field(pattern=f"^({'|'.join(EFFORTS)})$")]


class SharedSettings(BaseModel):
    """What both providers have. Times are in milliseconds."""

    generation_timeout_ms: int = setting(
        400_000, env="IMA2_OAUTH_GENERATION_TIMEOUT_MS", key="oauth.generationTimeoutMs", ge=1
    )
    status_timeout_ms: int = setting(3000, env="IMA2_OAUTH_STATUS_TIMEOUT_MS", key="oauth.statusTimeoutMs", ge=1)
    force_image_tool_choice: bool = setting(
        True,
        env="IMA2_OAUTH_FORCE_IMAGE_TOOL_CHOICE",
        key="oauth.forceImageToolChoice",
        help="Name the image tool as the one to call; off: any tool must be called.",
    )
    research_suffix: str = setting(
        "", env="IMA2_RESEARCH_SUFFIX", key="oauth.researchSuffix", help="Replaces the reminder about web searches."
    )


class ApiSettings(SharedSettings):
    """Provider ``api``."""

    api_key: SecretStr | None = setting(None, env="OPENAI_API_KEY", key="apiKey")
    base_url: ServiceUrl = setting("https://api.openai.com/v1", env="IMA2_OPENAI_BASE_URL", key="apiProvider.baseUrl")
    default_model: str = setting(
        "gpt-5.4-mini", env="IMA2_API_IMAGE_MODEL_DEFAULT", key="apiProvider.defaultImageModel"
    )
    drawing_model: str = setting(
        "",
        env="IMA2_API_DRAWING_MODEL",
        key="apiProvider.drawingModel",
        pattern=r"^[A-Za-z0-9._-]{0,80}$",
        help="The model that draws; empty: gpt-image-2 as long as it is served, then the newest.",
    )
    reasoning_effort: Effort = setting("low", env="IMA2_API_REASONING_EFFORT", key="apiProvider.defaultReasoningEffort")
    image_size: str = setting(
        "1024x1024", env="IMA2_API_IMAGE_SIZE", key="apiProvider.defaultSize", pattern=r"^(auto|[0-9]{2,5}x[0-9]{2,5})$"
    )
    allow_web_search: bool = setting(True, env="IMA2_API_ALLOW_WEB_SEARCH", key="apiProvider.allowWebSearch")


class OauthSettings(SharedSettings):
    """Provider ``oauth``."""

    proxy_port: int = setting(10531, env="IMA2_OAUTH_PROXY_PORT OAUTH_PORT", key="oauth.proxyPort", ge=1, le=65535)
    assume_proxy: bool = setting(
        False,
        env="IMA2_NO_OAUTH_PROXY",
        key="oauth.disableAutoStart",
        help="A proxy is run by someone else at the port: always ask it, never ChatGPT directly.",
    )
    default_model: str = setting("gpt-5.4-mini", env="IMA2_IMAGE_MODEL_DEFAULT", key="imageModels.default")
    reasoning_effort: Effort = setting("medium", env="IMA2_REASONING_EFFORT", key="imageModels.reasoningEffort")
    chatgpt_base_url: ServiceUrl = setting(
        "https://chatgpt.com/backend-api/codex", env="IMA2_CHATGPT_BASE_URL", key="oauth.chatgptBaseUrl"
    )
    auth_url: ServiceUrl = setting(
        "https://auth.openai.com/oauth/token", env="IMA2_OPENAI_AUTH_URL", key="oauth.authUrl"
    )
    client_id: str = setting(
        "app_EMoamEEZ73f0CkXaXp7hrann",
        env="IMA2_OPENAI_CLIENT_ID",
        key="oauth.clientId",
        help="The public client the login was made with; a refresh token only works for that one.",
    )
    client_version: str = setting(
        "",
        env="IMA2_CODEX_CLIENT_VERSION",
        key="oauth.clientVersion",
        pattern=r"^([0-9]{1,4}(\.[0-9]{1,6}){1,3})?$",
        help="Sent as the version of a Codex client, which newer models are only served to; empty: nothing is sent.",
    )
    image_transport: Literal["auto", "responses", "images"] = setting(
        "auto",
        env="IMA2_OAUTH_IMAGE_TRANSPORT",
        key="oauth.imageTransport",
        help="Where pictures are asked for: Responses, ChatGPT's endpoint for pictures alone, or what fits a request.",
    )
    words_auth_url: ServiceUrl = setting(
        "https://auth.openai.com/api/accounts", env="IMA2_CHATGPT_SIGN_IN_URL", key="oauth.wordsAuthUrl"
    )
    words_base_url: ServiceUrl = setting(
        "https://api.openai.com/v1", env="IMA2_CHATGPT_WORDS_BASE_URL", key="oauth.wordsBaseUrl"
    )
    codex_home: str = setting("", env="CODEX_HOME", key="oauth.codexHome", help="Folder of auth.json; else ~/.codex.")
