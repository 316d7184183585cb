"""The plugin's settings."""

from __future__ import annotations

from pydantic import BaseModel

import ima2


class ModelsSettings(BaseModel):
    """When and how services are asked for their models."""

    look: bool = ima2.setting(
        True,
        env="IMA2_MODELS_LOOK",
        key="models.look",
        help="Ask each service that is ready for its models once a day, in the background and free of charge.",
    )
    first_look_s: float = ima2.setting(
        120.0, key="models.firstLookS", ge=0, help="Seconds from the start of a server to its first look."
    )
    timeout_s: float = ima2.setting(10.0, key="models.timeoutS", gt=0, le=120, help="Longest wait for one service.")
