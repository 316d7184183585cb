"""Policies see a request before it runs; what nobody allowed does not run, and what was set aside is given back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from ima2 import Ima2Error, ImageRequest, Label, Policy, VideoRequest
from ima2.studio import policies
from ima2.studio.policies import Policies

REQUEST, LABEL = ImageRequest("a boat", "echo"), Label("j")


class Plain(Policy):
    """Changes what it is told to, and writes down what it is asked."""

    def __init__(self, id: str, error: BaseException | None = None, **changes: Any) -> None:
        self.id = id  # type: ignore[misc]
        self.error, self.changes = error, changes
        self.seen: list[Any] = []

    async def rewrite(self, request: Any, label: Label) -> Any:
        self.seen.append(request)
        return replace(request, **self.changes)

    async def check(self, request: Any, label: Label) -> None:
        self._refuse("check")

    async def reserve(self, job_id: str, request: Any, label: Label, estimate: float | None) -> None:
        self._refuse(("reserve", job_id, estimate))

    async def settle(self, job_id: str, cost: float | None, *, known: bool) -> None:
        self.seen.append(("settle", job_id, cost, known))

    def _refuse(self, what: Any) -> None:
        self.seen.append(what)
        if self.error is not None:
            raise self.error


def of(*given: Plain, order: tuple[str, ...] = ()) -> Policies:
    return Policies({one.id: one for one in given}, order)


async def test_without_policies_a_request_is_as_it_was() -> None:
    assert await of().rewrite(REQUEST, LABEL) == (REQUEST, [])


async def test_each_sees_the_request_as_it_was_asked_and_all_changes_count() -> None:
    first, second = Plain("a", prompt="a blue boat"), Plain("b", quality="high")
    rewritten, notices = await of(first, second).rewrite(REQUEST, LABEL)
    assert rewritten == replace(REQUEST, prompt="a blue boat", quality="high")
    assert first.seen == second.seen == [REQUEST]
    assert notices == []


@pytest.mark.parametrize(
    ("order", "wins", "loses"), [((), "a", "b"), (("b", "a"), "b", "a"), (("b",), "b", "a"), (("c", "b"), "b", "a")]
)
async def test_of_two_that_set_one_field_the_order_decides_and_the_answer_says_so(
    order: tuple[str, ...], wins: str, loses: str
) -> None:
    both = Plain("a", prompt="by a", size="512x512"), Plain("b", prompt="by b", quality="high")
    rewritten, notices = await of(*both, order=order).rewrite(REQUEST, LABEL)
    assert rewritten == replace(REQUEST, prompt=f"by {wins}", size="512x512", quality="high")
    assert [(one.code, one.details) for one in notices] == [("POLICY_CONFLICT", {"field": "prompt", "used": wins})]
    assert f"what {loses} asked there was left out" in notices[0].text
    assert "by a" not in notices[0].text


@pytest.mark.parametrize("made", [VideoRequest("a boat", "film"), None], ids=["a clip", "nothing"])
async def test_a_policy_that_makes_another_kind_of_request_refuses(made: Any) -> None:
    class Wrong(Plain):
        async def rewrite(self, request: Any, label: Label) -> Any:
            return made

    with pytest.raises(Ima2Error) as caught:
        await of(Wrong("a")).rewrite(REQUEST, LABEL)
    assert caught.value.code == "POLICY_FAILED"


async def test_a_refusal_is_raised_as_it_is_and_nobody_behind_it_is_asked() -> None:
    first, second = Plain("a", Ima2Error("STYLE_REFUSED", 403, "No.")), Plain("b")
    with pytest.raises(Ima2Error) as caught:
        await of(first, second).check(REQUEST, LABEL)
    assert (caught.value.code, caught.value.status) == ("STYLE_REFUSED", 403)
    assert (first.seen, second.seen) == (["check"], [])


@pytest.mark.parametrize("bug", [ValueError("a boat"), SystemExit(1)], ids=["bug", "exit"])
async def test_a_policy_with_a_bug_refuses_by_name_and_the_prompt_stays_inside(bug: BaseException, caplog: Any) -> None:
    with pytest.raises(Ima2Error) as caught:
        await of(Plain("strict", bug)).check(REQUEST, LABEL)
    assert (caught.value.code, caught.value.status) == ("POLICY_FAILED", 500)
    assert "strict" in caught.value.text
    assert type(bug).__name__ in caplog.text
    assert "a boat" not in caplog.text + caught.value.text


async def test_a_policy_that_never_answers_refuses(monkeypatch: Any) -> None:
    class Slow(Plain):
        async def check(self, request: Any, label: Label) -> None:
            await asyncio.sleep(3600)

    monkeypatch.setattr(policies, "STAGE_S", 0.02)
    with pytest.raises(Ima2Error) as caught:
        await of(Slow("slow")).check(REQUEST, LABEL)
    assert caught.value.code == "POLICY_FAILED"


async def test_where_one_cannot_set_the_price_aside_those_before_it_get_it_back() -> None:
    first, second, third = Plain("a"), Plain("b", Ima2Error("BUDGET_SPENT", 402, "No.")), Plain("c")
    with pytest.raises(Ima2Error) as caught:
        await of(first, second, third).reserve("j", REQUEST, LABEL, 0.4)
    assert caught.value.code == "BUDGET_SPENT"
    assert first.seen == [("reserve", "j", 0.4), ("settle", "j", 0.0, True)]
    assert second.seen == [("reserve", "j", 0.4)]
    assert third.seen == []


async def test_a_caller_that_leaves_while_the_price_is_set_aside_gets_it_back() -> None:
    class Waiting(Plain):
        async def reserve(self, job_id: str, request: Any, label: Label, estimate: float | None) -> None:
            await asyncio.sleep(3600)

    first = Plain("a")
    asking = asyncio.create_task(of(first, Waiting("b")).reserve("j", REQUEST, LABEL, 0.4))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert first.seen == [("reserve", "j", 0.4), ("settle", "j", 0.0, True)]


async def test_all_hear_what_it_cost_even_when_one_of_them_fails(caplog: Any) -> None:
    class Broken(Plain):
        async def settle(self, job_id: str, cost: float | None, *, known: bool) -> None:
            raise ValueError("a boat")

    last = Plain("b")
    await of(Broken("a"), last).settle("j", None, known=False)
    assert last.seen == [("settle", "j", None, False)]
    assert "ValueError" in caplog.text
    assert "a boat" not in caplog.text
