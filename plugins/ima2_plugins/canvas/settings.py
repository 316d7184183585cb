"""Limits of what may be sent."""

from __future__ import annotations

from pydantic import BaseModel

import ima2


class CanvasSettings(BaseModel):
    """How large pictures may be."""

    version_bytes: int = ima2.setting(52_428_800, help="Largest canvas version, in bytes.", ge=1)
