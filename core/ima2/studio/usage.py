"""What a job took, counted once: by all of it, and by each picture where its own part is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ima2.models import Json, Usage


@dataclass(slots=True)
class UsageTotal:
    """The sum of what the upstream's calls consumed. ``tokens`` and ``cost`` (US dollars) are ``None`` until told."""

    tokens: dict[str, Json] | None = None
    searches: int = 0
    cost: float | None = None
    calls: list[Usage] = field(default_factory=list)

    def add(self, usage: Usage) -> None:
        """Add one call: numbers add up, at any depth, other values stay as first seen."""
        self.calls.append(usage)
        if usage.tokens is not None:
            self.tokens = _sum(self.tokens or {}, usage.tokens)
        self.searches += usage.searches
        if usage.cost is not None:
            self.cost = round((self.cost or 0.0) + usage.cost, 10)

    def share(self, index: int, pictures: int) -> Usage:
        """What one of so many pictures took: the whole where it is the only one, else what its own calls took.

        Nothing is known of it (``None``) where only the sum of several is. Searches that served all count for each.
        """
        if pictures == 1:
            return Usage(self.tokens, self.searches, self.cost, index)
        own = UsageTotal()
        for usage in self.calls:
            if usage.index == index:
                own.add(usage)
        common = sum(usage.searches for usage in self.calls if usage.index is None)
        return Usage(own.tokens, own.searches + common, own.cost, index)


def _sum(total: Mapping[str, Json], more: Mapping[str, Json]) -> dict[str, Json]:
    summed = dict(total)
    for name, value in more.items():
        known = summed.get(name)
        if isinstance(value, Mapping):
            summed[name] = _sum(known if isinstance(known, Mapping) else {}, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            summed[name] = (known if isinstance(known, int | float) else 0) + value
        else:
            summed.setdefault(name, value)
    return summed
