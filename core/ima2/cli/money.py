"""What something cost: as it was reported, else as list prices have it, in US dollars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def describe_cost(facts: Mapping[str, Any]) -> str:
    """``$0.0420``, ``about $0.0420 (list price)`` for an estimate, or nothing where nobody said."""
    known = cost_fields(facts)
    if "cost" in known:
        return _dollars(known["cost"])
    return f"about {_dollars(known['costEstimate'])} (list price)" if known else ""


def cost_fields(facts: Mapping[str, Any]) -> dict[str, float]:
    """``cost`` and ``costEstimate`` of an answer, where they are known."""
    return {name: facts[name] for name in ("cost", "costEstimate") if _is_amount(facts.get(name))}


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _dollars(amount: float) -> str:
    return "$0" if amount == 0 else f"${amount:.4f}" if amount < 1 else f"${amount:.2f}"
