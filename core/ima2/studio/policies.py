"""Policies around a request: rewritten, checked, its price set aside, and settled when it is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TypeVar

from ima2.errors import Ima2Error
from ima2.interfaces import Label, Policy, Request
from ima2.kernel.guard import origin
from ima2.models import Json, Notice

log = logging.getLogger("ima2.studio")
T = TypeVar("T")
STAGE_S = 10.0
"""Seconds a policy may take for one stage. One that takes longer refuses: what nobody checked must not run."""


class Policies:
    """The policies in use. ``order`` names those that win, first, where two rewrite one field."""

    def __init__(self, policies: Mapping[str, Policy], order: Sequence[str] = ()) -> None:
        self._policies = policies
        self._order = order

    async def rewrite(self, request: Request, label: Label) -> tuple[Request, list[Notice]]:
        """What the policies make of a request, each seeing it as it was asked. Of two that change one field the first
        of the order wins, or of the ids; a notice says which was left out."""
        changes: dict[str, tuple[str, object]] = {}
        notices: list[Notice] = []
        for name, policy in self._ranked():
            wanted = await _within(name, _rewritten(policy, request, label))
            for field in _changed(request, wanted):
                if field in changes:
                    first = changes[field][0]
                    text = f"{field} is already set by the policy {first}; what {name} asked there was left out."
                    notices.append(Notice("POLICY_CONFLICT", text, {"field": field, "used": first}))
                else:
                    changes[field] = (name, getattr(wanted, field))
        changed = {field: value for field, (_, value) in changes.items()}
        return (replace(request, **changed) if changed else request), notices  # type: ignore[arg-type]

    def label_of(self, asked: Request, used: Request, label: Label) -> Label:
        """The label with what the policies say of a request they rewrote, and with the words as they were asked."""
        if used == asked:
            return label
        found: dict[str, Json] = {"user_prompt": asked.prompt}
        for name, policy in self._ranked():
            try:
                found |= policy.facts(asked, used, label)
            except Exception as error:
                log.warning("policy %s cannot say what it did: %s", name, type(error).__name__)
        return replace(label, facts={**found, **label.facts})

    async def check(self, request: Request, label: Label) -> None:
        """Ask every policy; the first refusal is raised."""
        for name, policy in self._ranked():
            await _within(name, policy.check(request, label))

    async def reserve(self, job_id: str, request: Request, label: Label, estimate: float | None) -> None:
        """Set the price aside with every policy. Where one refuses, the others get it back."""
        done: list[Policy] = []
        try:
            for name, policy in self._ranked():
                await _within(name, policy.reserve(job_id, request, label, estimate))
                done.append(policy)
        except BaseException:  # also when nobody waits any more
            for policy in done:
                await _quietly(policy.settle(job_id, 0.0, known=True))
            raise

    async def settle(self, job_id: str, cost: float | None, *, known: bool) -> None:
        """Tell every policy what it cost."""
        for policy in self._policies.values():
            await _quietly(policy.settle(job_id, cost, known=known))

    def _ranked(self) -> list[tuple[str, Policy]]:
        place = {name: number for number, name in enumerate(self._order)}
        return sorted(self._policies.items(), key=lambda item: (place.get(item[0], len(place)), item[0]))


async def _within(name: str, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(STAGE_S):
            return await work
    except Ima2Error:
        raise
    except (Exception, SystemExit) as error:
        log.warning("policy %s failed with %s at %s", name, type(error).__name__, origin(error))
        text = f"The policy {name} failed, so nothing was sent. `ima2 plugins list` shows whose it is."
        raise Ima2Error("POLICY_FAILED", 500, text) from None


async def _quietly(work: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(STAGE_S):
            await work
    except (Exception, SystemExit) as error:
        log.warning("a policy could not settle a job (%s)", type(error).__name__)


async def _rewritten(policy: Policy, request: Request, label: Label) -> Request:
    wanted = await policy.rewrite(request, label)
    if type(wanted) is not type(request):
        raise TypeError("a policy must return a request of the same kind")
    return wanted


def _changed(before: Request, after: Request) -> list[str]:
    return [one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)]
