"""The budgets, in US dollars."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

import ima2

Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CostSettings(BaseModel):
    """None is set by default: then everything is written down and nothing refused. Days and months are those of UTC."""

    day_usd: Dollars | None = ima2.setting(
        None,
        env="IMA2_BUDGET_DAY_USD",
        key="budgets.dayUsd",
        restart=False,
        help="US dollars that may be spent a day.",
    )
    month_usd: Dollars | None = ima2.setting(
        None,
        env="IMA2_BUDGET_MONTH_USD",
        key="budgets.monthUsd",
        help="US dollars that may be spent a month.",
        restart=False,
    )
    providers: dict[str, Dollars] = ima2.setting(
        None,
        env="IMA2_BUDGET_PROVIDERS",
        key="budgets.providers",
        help="US dollars a month by provider, as a JSON object.",
        restart=False,
        default_factory=dict,
    )
