"""Shorthand for tests that put a provider in front of a fake."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import pytest

import ima2
from tests.upstreams.world import Seen, World

T = TypeVar("T")
KITE = "a red kite over dunes"


async def draw(provider: ima2.Provider, prompt: str = KITE, **fields: Any) -> list[ima2.Update]:
    """All updates of one request for pictures."""
    request = ima2.ImageRequest(prompt, provider.id, **fields)
    return [update async for update in provider.images(request, ima2.Job("job-1"))]


async def failure(provider: ima2.Provider, prompt: str = KITE, **fields: Any) -> ima2.Ima2Error:
    """The error that a request for pictures ends with."""
    with pytest.raises(ima2.Ima2Error) as caught:
        await draw(provider, prompt, **fields)
    return caught.value


async def until_failure(stream: AsyncIterator[ima2.Update]) -> tuple[list[ima2.Update], ima2.Ima2Error]:
    """What a provider told before it failed, and the error it failed with."""
    seen: list[ima2.Update] = []
    try:
        async for update in stream:
            seen.append(update)  # noqa: PERF401 (what came before the error counts)
    except ima2.Ima2Error as error:
        return seen, error
    pytest.fail("it did not fail")


def all_of(updates: list[ima2.Update], kind: type[T]) -> list[T]:
    """The updates of a kind."""
    return [update for update in updates if isinstance(update, kind)]


def only(updates: list[ima2.Update], kind: type[T]) -> T:
    """The one update of a kind."""
    (found,) = all_of(updates, kind)
    return found


def told(error: BaseException) -> str:
    """Everything a log could hold of an error: its trace, its causes, its fields."""
    return "".join(traceback.format_exception(error)) + repr(vars(error))


def sent(world: World, part: str = ":generateContent") -> Seen:
    """The one request whose path contains ``part``."""
    (call,) = world.calls(part)
    return call
