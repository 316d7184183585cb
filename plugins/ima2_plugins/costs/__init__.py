"""Costs: what was spent on what, and budgets that are held.

A policy sets the estimate of each job aside before it runs and writes down what it came to. Where a provider does not
report that, the estimate stays; where nobody can say whether it was billed, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ima2_plugins.costs.settings import CostSettings


@ima2.hookimpl
def ima2_settings() -> type[CostSettings]:
    """The budgets."""
    from ima2_plugins.costs.settings import CostSettings

    return CostSettings


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    """The ledger."""
    from ima2_plugins.costs.table import METADATA

    return ima2.Tables(METADATA)


@ima2.hookimpl
def ima2_policies(ctx: ima2.PluginContext) -> list[ima2.Policy]:
    """The ledger's keeper."""
    from ima2_plugins.costs.policy import CostPolicy

    ctx.state.policy = CostPolicy(ctx)
    return [ctx.state.policy]


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """What was spent, and what a request would cost."""
    from ima2_plugins.costs.routes import cost_router

    return cost_router(ctx)
