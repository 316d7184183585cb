"""Candidates side by side: one that goes wrong is one that goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ima2 import Failed, Ima2Error, Phase
from ima2.models import Update
from ima2.streams import merged


async def good() -> AsyncIterator[Update]:
    await asyncio.sleep(0.01)
    yield Phase("streaming")


async def refused() -> AsyncIterator[Update]:
    yield Phase("planning")
    raise Ima2Error("NO", 400, "no")


async def cancels_itself() -> AsyncIterator[Update]:
    yield Phase("planning")
    part = asyncio.create_task(asyncio.sleep(3600))
    part.cancel()
    await part


@pytest.mark.parametrize(("odd", "code"), [(refused, "NO"), (cancels_itself, "CANDIDATE_CANCELED")])
async def test_a_candidate_that_fails_or_cancels_itself_is_told_and_the_other_goes_on(odd: object, code: str) -> None:
    updates = [update async for update in merged([odd, good])]  # type: ignore[list-item]
    (failed,) = [update for update in updates if isinstance(update, Failed)]
    assert failed.index == 0
    assert getattr(failed.error, "code", None) == code
    assert Phase("streaming") in updates


async def test_whoever_stops_reading_stops_all_candidates() -> None:
    stopped: list[str] = []

    async def endless() -> AsyncIterator[Update]:
        try:
            yield Phase("planning")
            await asyncio.sleep(3600)
        finally:
            stopped.append("yes")

    stream = merged([endless, endless])
    assert await anext(stream) == Phase("planning")
    await stream.aclose()
    assert stopped == ["yes", "yes"]


async def test_a_bug_of_one_candidate_ends_all_and_is_raised() -> None:
    async def broken() -> AsyncIterator[Update]:
        raise ZeroDivisionError
        yield Phase("planning")  # type: ignore[unreachable]

    with pytest.raises(ZeroDivisionError):
        _ = [update async for update in merged([broken, good])]
