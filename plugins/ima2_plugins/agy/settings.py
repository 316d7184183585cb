"""The plugin's settings."""

from __future__ import annotations

from pydantic import BaseModel

import ima2


class AgySettings(BaseModel):
    """How the CLI is called and how long it may take."""

    command: str = ima2.setting(
        "agy",
        env="IMA2_AGY_COMMAND IMA2_AGY_BIN",
        key="agy.command",
        min_length=1,
        help="the Antigravity CLI: a name on the PATH, or a path; no arguments",
    )
    timeout_ms: int = ima2.setting(
        360_000, env="IMA2_AGY_TIMEOUT_MS", key="agy.timeoutMs", gt=0, help="limit of one picture, in milliseconds"
    )
    status_timeout_ms: int = ima2.setting(3_000, env="IMA2_AGY_STATUS_TIMEOUT_MS", key="agy.statusTimeoutMs", gt=0)
    max_artifact_bytes: int = ima2.setting(
        50 * 1024 * 1024,
        env="IMA2_AGY_MAX_ARTIFACT_BYTES",
        key="agy.maxArtifactBytes",
        gt=0,
        help="the largest picture file that is taken over",
    )
