"""Keys of config.json and variables that ima2-gen 2.0.2 has and nothing here reads, so that its file can be kept whole.

Names and defaults are those of its documentation.
"""

from __future__ import annotations

from pydantic import BaseModel

import ima2

_KEPT = "Kept for ima2-gen; nothing here reads it."
_CARD_NEWS = "Of card_news, so that it is known while that is off."


class Settings(BaseModel):
    """Settings of its features."""

    card_news: bool = ima2.setting(False, env="IMA2_CARD_NEWS", key="features.cardNews", help=_CARD_NEWS)
    planner_enabled: bool = ima2.setting(
        True, env="IMA2_CARD_NEWS_PLANNER", key="cardNewsPlanner.enabled", help=_CARD_NEWS
    )
    planner_model: str = ima2.setting(
        "gpt-5.4-mini", env="IMA2_CARD_NEWS_PLANNER_MODEL", key="cardNewsPlanner.model", help=_CARD_NEWS
    )
    planner_timeout_ms: int = ima2.setting(
        60_000, env="IMA2_CARD_NEWS_PLANNER_TIMEOUT_MS", key="cardNewsPlanner.timeoutMs", ge=1, help=_CARD_NEWS
    )
    planner_fallback: bool = ima2.setting(
        False, env="IMA2_CARD_NEWS_PLANNER_FALLBACK", key="cardNewsPlanner.deterministicFallback", help=_CARD_NEWS
    )
    proxy_restart_delay_ms: int = ima2.setting(
        5_000, env="IMA2_OAUTH_RESTART_DELAY_MS", key="oauth.restartDelayMs", ge=0, help=_KEPT
    )
