"""Favourites over HTTP: a mark of one browser, a filter and a field of the gallery."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import ima2_plugins.favorites
from ima2.testing import picture

MINE, OTHERS = {"X-Ima2-Browser-Id": "b_1"}, {"X-Ima2-Browser-Id": "b_2"}


@pytest.fixture
async def client(ima2_client: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with ima2_client(favorites=ima2_plugins.favorites) as client:
        for name in ("a.png", "b.png"):
            await client.runtime.library.keep(name, picture(), {"created_at": ord(name[0])})
        yield client


async def toggle(client: httpx.AsyncClient, name: str) -> bool:
    answer = await client.post("/api/history/favorite", json={"filename": name}, headers=MINE)
    marked: bool = answer.json()["isFavorite"]
    return marked


async def items(client: httpx.AsyncClient, query: str = "", **headers: Any) -> list[tuple[str, bool]]:
    answer = await client.get(f"/api/history{query}", **headers)
    return [(row["filename"], row["isFavorite"]) for row in answer.json()["items"]]


async def test_a_mark_is_set_shown_filtered_and_taken_away(client: httpx.AsyncClient) -> None:
    assert await toggle(client, "a.png")
    assert await items(client, headers=MINE) == [("b.png", False), ("a.png", True)]
    assert await items(client, headers=OTHERS) == await items(client) == [("b.png", False), ("a.png", False)]
    assert await items(client, "?favoritesOnly=1", headers=MINE) == [("a.png", True)]
    assert await items(client, "?favoritesOnly=true", headers=OTHERS) == []
    assert not await toggle(client, "a.png")
    assert await items(client, "?favoritesOnly=1", headers=MINE) == []


async def test_a_file_need_not_exist_to_be_marked(client: httpx.AsyncClient) -> None:
    assert await toggle(client, "gone.png")
    assert await items(client, "?favoritesOnly=1", headers=MINE) == []


@pytest.mark.parametrize(
    ("body", "headers"), [({}, MINE), ({"filename": 5}, MINE), ({"filename": "a.png"}, {}), ({"filename": ""}, MINE)]
)
async def test_a_name_and_a_browser_are_needed(
    client: httpx.AsyncClient, body: dict[str, Any], headers: dict[str, str]
) -> None:
    answer = await client.post("/api/history/favorite", json=body, headers=headers)
    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)


async def test_titles_of_sessions_name_the_groups(ima2_client: Any) -> None:
    import sqlalchemy as sa

    import ima2_plugins.graph
    from ima2_plugins.graph.tables import SESSIONS

    async with ima2_client(titles=ima2_plugins.graph) as client:
        for name, session in (("a.png", "s_1"), ("b.png", "s_unknown_and_long"), ("c.png", None)):
            await client.runtime.library.keep(name, picture(), {"session_id": session, "created_at": ord(name[0])})
        row = {"id": "s_1", "title": "Poster", "created_at": 1, "updated_at": 1}
        await client.runtime.database.write(lambda connection: connection.execute(sa.insert(SESSIONS), row))
        answer = (await client.get("/api/history?groupBy=session")).json()
        groups = [(one["sessionId"], one["title"], one["label"]) for one in answer["sessions"]]
        assert groups == [("s_unknown_and_long", None, "s_unknow"), ("s_1", "Poster", "Poster")]
        assert [row["filename"] for row in answer["loose"]] == ["c.png"]
