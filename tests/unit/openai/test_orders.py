"""When a job counts as ordered: right before its first call that may cost money, and not for what is free."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.openai.conftest import Api, Oauth
from tests.upstreams.world import World

import ima2


async def ordered(provider: ima2.Provider, world: World, prompt: str = "a kite", **fields: Any) -> list[int]:
    """How many calls had gone out each time the job was marked as ordered."""
    marks: list[int] = []

    async def mark() -> None:
        marks.append(len(world.calls("/responses")) + len(world.calls("/images/")))

    job = ima2.Job("job-1", on_order=mark)
    request = ima2.ImageRequest(prompt, provider.id, **fields)
    try:
        _ = [one async for one in provider.images(request, job)]
    except ima2.Ima2Error:
        marks.append(-1)
    return marks


async def test_the_mark_is_made_once_and_before_the_first_call(api: Api, openai: World) -> None:
    assert api().marks_orders
    assert await ordered(api(), openai) == [0]


async def test_several_candidates_are_one_order(api: Api, openai: World) -> None:
    assert await ordered(api(), openai, count=4) == [0]
    assert len(openai.calls("/responses")) == 4


async def test_what_is_refused_here_is_not_ordered(api: Api, openai: World) -> None:
    assert await ordered(api(), openai, size="1x1") == [-1]
    assert await ordered(api(api_key=None), openai) == [-1]


async def test_a_login_is_renewed_before_anything_is_ordered(oauth: Oauth, backend: World, auth_file: Path) -> None:
    backend.state["chatgpt.renewal"] = "refresh_token_expired"
    auth_file.write_text(auth_file.read_text().replace(backend.state["chatgpt.access"], "opaque"))
    assert await ordered(oauth(backend), backend) == [-1]
    assert len(backend.calls("/oauth/token")) == 1
    assert backend.calls("/responses") == []


async def test_another_attempt_is_the_same_order(oauth: Oauth, backend: World, auth_file: Path) -> None:
    assert await ordered(oauth(backend), backend, "TOOLGONE kite") == [0]
    assert len(backend.calls("/codex/")) == 3


@pytest.mark.parametrize("options", [{}, {"webSearch": False}])
async def test_both_endpoints_are_ordered(
    oauth: Oauth, backend: World, auth_file: Path, options: dict[str, Any]
) -> None:
    assert await ordered(oauth(backend), backend, options=options) == [0]
