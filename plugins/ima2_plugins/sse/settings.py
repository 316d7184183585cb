"""What can be set about the event channel."""

from __future__ import annotations

from pydantic import BaseModel

from ima2 import setting


class SseSettings(BaseModel):
    """Sizes are in bytes, times in seconds. The defaults of ring, listeners and heartbeat are the reference's."""

    ring: int = setting(2000, env="IMA2_EVENTS_RING", ge=1, le=100_000, help="Events kept for replay.")
    keep_terminal: float = setting(
        300.0,
        env="IMA2_EVENTS_KEEP_TERMINAL",
        ge=0,
        help="How long a job's last event outlives the ring.",
    )
    listeners: int = setting(512, env="IMA2_EVENTS_LISTENERS", ge=1, help="Open streams at once.")
    heartbeat: float = setting(15.0, env="IMA2_EVENTS_HEARTBEAT", gt=0, help="Between two signs of life.")
    backlog: int = setting(
        256 * 2**20, env="IMA2_EVENTS_BACKLOG", ge=1, help="What may wait for one reader before it is cut off."
    )
    stall: float = setting(30.0, env="IMA2_EVENTS_STALL", gt=0, help="How long a reader may take nothing.")
    previews: int = setting(
        64 * 2**20,
        env="IMA2_EVENTS_PREVIEWS",
        ge=0,
        help="Previews held in memory for readers by URL.",
    )
    preview_grace: float = setting(
        10.0, env="IMA2_EVENTS_PREVIEW_GRACE", ge=0, help="How long a preview outlives its job, for late fetches."
    )
