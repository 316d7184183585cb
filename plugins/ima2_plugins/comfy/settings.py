"""Settings of ComfyUI."""

from __future__ import annotations

from pydantic import BaseModel

import ima2


class ComfySettings(BaseModel):
    """Where ComfyUI listens, and what may be sent."""

    url: str = ima2.setting(
        "http://127.0.0.1:8188", env="IMA2_COMFY_URL", key="comfy.defaultUrl", help="ComfyUI on this machine."
    )
    upload_timeout_ms: int = ima2.setting(
        30_000, env="IMA2_COMFY_UPLOAD_TIMEOUT_MS", key="comfy.uploadTimeoutMs", ge=1, help="Longest upload."
    )
    max_upload_bytes: int = ima2.setting(
        52_428_800, env="IMA2_COMFY_MAX_UPLOAD_BYTES", key="comfy.maxUploadBytes", ge=1, help="Largest picture sent."
    )
