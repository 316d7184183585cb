"""What is drawn over pictures: whose it is, what is kept of it, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import ima2_plugins.canvas

ME = {"X-Ima2-Browser-Id": "b_me"}


@pytest.fixture
async def client(ima2_client: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with ima2_client(canvas=ima2_plugins.canvas) as client:
        yield client


async def put(client: httpx.AsyncClient, name: str, body: Any, headers: dict[str, str] = ME) -> httpx.Response:
    return await client.put(f"/api/annotations/{name}", json=body, headers=headers)


async def test_each_browser_has_its_own_over_the_same_picture(client: httpx.AsyncClient) -> None:
    await put(client, "set%2Fa.png", {"annotations": {"memos": [1]}})
    await put(client, "set%2Fa.png", {"memos": [2], "paths": "none", "more": 1}, {"X-Ima2-Browser-Id": "b_you"})
    mine = (await client.get("/api/annotations/set/a.png", headers=ME)).json()
    yours = (await client.get("/api/annotations/set%2Fa.png", headers={"X-Ima2-Browser-Id": "b_you"})).json()
    assert mine == {"annotations": {"paths": [], "boxes": [], "memos": [1]}}
    assert yours == {"annotations": {"paths": [], "boxes": [], "memos": [2]}}


async def test_writers_at_once_leave_one_whole_state(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(put(client, "a.png", {"memos": [n], "boxes": [n]}) for n in range(8)))
    assert {one.status_code for one in answers} == {200}
    found = (await client.get("/api/annotations/a.png", headers=ME)).json()["annotations"]
    assert found["memos"] == found["boxes"]


@pytest.mark.parametrize("name", ["..%2F..%2Fetc", "%2Fetc%2Fpasswd", "a%5Cb", "a%00b", "x" * 241])
async def test_names_that_lead_away_are_refused(client: httpx.AsyncClient, name: str) -> None:
    answer = await put(client, name, {})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_FILENAME")


@pytest.mark.parametrize("body", [None, [1], 5, "x"])
async def test_what_is_no_object_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    answer = await put(client, "a.png", {"annotations": body})
    assert (answer.status_code, answer.json()["code"]) == (400, "ANNOTATIONS_REQUIRED")


async def test_too_much_is_told_with_a_status_of_its_own(client: httpx.AsyncClient) -> None:
    answer = await put(client, "a.png", {"memos": ["x" * 262_144]})
    assert (answer.status_code, answer.json()["code"]) == (413, "ANNOTATIONS_TOO_LARGE")


async def test_a_damaged_row_reads_as_nothing_and_can_be_written_again(client: Any) -> None:
    import sqlalchemy as sa

    from ima2_plugins.canvas.table import ANNOTATIONS

    await put(client, "a.png", {"memos": [1]})
    await client.runtime.database.write(lambda c: c.execute(sa.update(ANNOTATIONS).values(payload="{")))
    assert (await client.get("/api/annotations/a.png", headers=ME)).json() == {"annotations": None}
    await put(client, "a.png", {"memos": [2]})
    assert (await client.get("/api/annotations/a.png", headers=ME)).json()["annotations"]["memos"] == [2]
