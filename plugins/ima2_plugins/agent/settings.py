"""Settings of agent mode."""

from __future__ import annotations

from pydantic import BaseModel

import ima2


class AgentSettings(BaseModel):
    """How much runs at once, and what tools may spend."""

    running: int = ima2.setting(
        2, env="IMA2_AGENT_RUNNING", key="agent.running", ge=1, le=8, help="Queued requests that run at once."
    )
    turns: int = ima2.setting(
        1000, env="IMA2_AGENT_TURNS", key="agent.turns", ge=10, le=10_000, help="Newest turns in one answer."
    )
    tools_may_spend: bool = ima2.setting(
        False,
        env="IMA2_AGENT_TOOLS_MAY_SPEND",
        key="agent.toolsMaySpend",
        help="Whether the agent may call tools of plugins that cost money.",
    )
