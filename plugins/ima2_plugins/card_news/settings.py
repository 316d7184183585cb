"""What can be set of card news. Names and defaults of the keys are ima2-gen's."""

from __future__ import annotations

from pydantic import BaseModel

import ima2


class CardNewsSettings(BaseModel):
    """Whether it is on, and who plans the texts."""

    on: bool = ima2.setting(
        False, env="IMA2_CARD_NEWS", key="features.cardNews", help="Turns card news on, from the next start."
    )
    planner_enabled: bool = ima2.setting(
        True, env="IMA2_CARD_NEWS_PLANNER", key="cardNewsPlanner.enabled", help="Whether a model plans drafts."
    )
    planner_model: str = ima2.setting(
        "gpt-5.4-mini",
        env="IMA2_CARD_NEWS_PLANNER_MODEL",
        key="cardNewsPlanner.model",
        help="The planner's model, where its provider has it; else that provider's own default.",
    )
    planner_timeout_ms: int = ima2.setting(
        60_000, env="IMA2_CARD_NEWS_PLANNER_TIMEOUT_MS", key="cardNewsPlanner.timeoutMs", ge=1, help="Its time."
    )
    planner_fallback: bool = ima2.setting(
        False,
        env="IMA2_CARD_NEWS_PLANNER_FALLBACK",
        key="cardNewsPlanner.deterministicFallback",
        help="Draft without a model where the planner fails.",
    )
    planner_provider: str = ima2.setting(
        "", key="cardNewsPlanner.provider", help="Who plans; empty for the default provider with words."
    )
    job_days: int = ima2.setting(7, ge=1, le=365, help="How long ended jobs can be asked for.")
