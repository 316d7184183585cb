"""What can be set of the demo."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

import ima2


class DemoSettings(BaseModel):
    """``delay_ms`` is how long each picture takes at least; ``fail`` how every request ends (empty: well)."""

    delay_ms: int = ima2.setting(0, env="IMA2_DEMO_DELAY_MS", ge=0, le=3_600_000, help="Milliseconds a picture takes")
    fail: Literal["", "rate_limit", "refuse", "empty", "auth", "offline", "crash", "hang"] = ima2.setting(
        "", env="IMA2_DEMO_FAIL", help="How every request fails"
    )
