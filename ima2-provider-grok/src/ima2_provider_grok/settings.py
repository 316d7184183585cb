"""What can be set, under the names the reference used where it had one. Durations are in milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, SecretStr, field_validator

from ima2 import setting

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def check_url(value: str) -> str:
    """``value`` without trailing slashes when it is ``https``, or ``http`` on this machine; else ``ValueError``."""
    parts = urlsplit(value)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be a plain URL, without user, query or fragment")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ValueError("must be an https:// URL, or http:// on this machine (127.0.0.1, ::1 or localhost)")
    return value.rstrip("/")


Url = Annotated[str, AfterValidator(check_url)]


class GrokSettings(BaseModel):
    """Settings of the grok plugin. The names after ``env=`` and ``key=`` are those a user may already have set."""

    api_key: SecretStr | None = setting(
        None, env="XAI_API_KEY", key="xaiApiKey", help="Key of xAI's API, for grok-api."
    )
    base_url: Url = setting("https://api.x.ai/v1", env="IMA2_XAI_BASE_URL", help="Where xAI's API is.")
    auth_url: Url = setting("https://auth.x.ai", env="IMA2_XAI_AUTH_URL", help="Where xAI's login is.")
    billing_url: Url = setting(
        "https://cli-chat-proxy.grok.com/v1", env="IMA2_GROK_BILLING_URL", help="Where the quota is."
    )
    auth_file: Path = setting(
        Path("~/.progrok/auth.json"), env="IMA2_PROGROK_AUTH_FILE", help="The login, shared with progrok."
    )

    proxy_host: str = setting(
        "127.0.0.1", env="IMA2_GROK_PROXY_HOST", key="grokProvider.proxyHost", pattern=r"^[A-Za-z0-9.:-]+$"
    )
    proxy_port: int = setting(18645, env="IMA2_GROK_PROXY_PORT", key="grokProvider.proxyPort", ge=1, le=65535)
    no_proxy: bool = setting(
        False,
        env="IMA2_NO_GROK_PROXY",
        key="grokProvider.disableAutoStart",
        help="Start no progrok: one of the user's own is expected at the host and port.",
    )
    restart_delay_ms: int = setting(2000, env="IMA2_GROK_RESTART_DELAY_MS", key="grokProvider.restartDelayMs", ge=0)

    planner_model: str = setting(
        "grok-4.3", env="IMA2_GROK_PLANNER_MODEL", key="grokProvider.plannerModel", min_length=1
    )
    planner_timeout_ms: int = setting(
        60_000, env="IMA2_GROK_PLANNER_TIMEOUT_MS", key="grokProvider.plannerTimeoutMs", ge=1
    )
    default_image_model: str = setting(
        "grok-imagine-image", env="IMA2_GROK_IMAGE_MODEL_DEFAULT", key="grokProvider.defaultImageModel"
    )
    generation_timeout_ms: int = setting(
        120_000, env="IMA2_GROK_GENERATION_TIMEOUT_MS", key="grokProvider.generationTimeoutMs", ge=1
    )
    image_download_timeout_ms: int = setting(30_000, ge=1)
    status_timeout_ms: int = setting(3000, env="IMA2_GROK_STATUS_TIMEOUT_MS", key="grokProvider.statusTimeoutMs", ge=1)

    default_video_model: str = setting(
        "grok-imagine-video", env="IMA2_GROK_VIDEO_MODEL_DEFAULT", key="grokProvider.defaultVideoModel"
    )
    video_start_timeout_ms: int = setting(
        60_000, env="IMA2_GROK_VIDEO_START_TIMEOUT_MS", key="grokProvider.videoStartTimeoutMs", ge=1
    )
    video_poll_interval_ms: int = setting(
        5000, env="IMA2_GROK_VIDEO_POLL_INTERVAL_MS", key="grokProvider.videoPollIntervalMs", ge=1
    )
    video_stalled_ms: int = setting(
        180_000, ge=1, help="A clip whose progress stands still for this long is called stalled."
    )
    video_timeout_ms: int = setting(900_000, env="IMA2_GROK_VIDEO_TIMEOUT_MS", key="grokProvider.videoTimeoutMs", ge=1)
    video_download_timeout_ms: int = setting(
        120_000, env="IMA2_GROK_VIDEO_DOWNLOAD_TIMEOUT_MS", key="grokProvider.videoDownloadTimeoutMs", ge=1
    )

    @field_validator("api_key", mode="after")
    @classmethod
    def _no_blank_key(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value and value.get_secret_value().strip() else None

    @property
    def proxy_url(self) -> str:
        """Where the user's own progrok is expected; it has the path of xAI's API."""
        host = f"[{self.proxy_host}]" if ":" in self.proxy_host else self.proxy_host
        return f"http://{host}:{self.proxy_port}/v1"

    @property
    def login_file(self) -> Path:
        """`auth_file` with the user's home filled in."""
        return self.auth_file.expanduser()
