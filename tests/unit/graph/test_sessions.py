"""Sessions: begin, rename, and what a studio begins with."""

from __future__ import annotations

import re

import httpx
import pytest

from ima2_plugins.graph.ids import session_id, ulid


async def test_there_is_a_session_to_begin_with(client: httpx.AsyncClient) -> None:
    (first,) = (await client.get("/api/sessions")).json()["sessions"]
    assert (first["title"], first["graphVersion"], first["nodeCount"]) == ("My first graph", 0, 0)


@pytest.mark.parametrize(("title", "kept"), [("x" * 300, "x" * 200), (5, "Untitled"), ("", "Untitled"), (" a ", " a ")])
async def test_titles_are_cut_and_odd_ones_are_none(client: httpx.AsyncClient, title: object, kept: str) -> None:
    made = await client.post("/api/sessions", json={"title": title})
    assert (made.status_code, made.json()["session"]["title"]) == (201, kept)


@pytest.mark.parametrize("title", [None, 5, "  ", ""])
async def test_a_session_is_never_renamed_to_nothing(client: httpx.AsyncClient, session: str, title: object) -> None:
    answer = await client.patch(f"/api/sessions/{session}", json={"title": title})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_TITLE")


async def test_the_one_that_changed_last_comes_first(client: httpx.AsyncClient, session: str) -> None:
    second = (await client.post("/api/sessions", json={"title": "B"})).json()["session"]["id"]
    await client.patch(f"/api/sessions/{second}", json={"title": "C"})
    listed = (await client.get("/api/sessions")).json()["sessions"]
    assert [one["title"] for one in listed] == ["C", "A", "My first graph"]


async def test_malformed_bodies_are_refused_in_the_shape_of_sessions(client: httpx.AsyncClient, session: str) -> None:
    headers = {"Content-Type": "application/json", "If-Match": "0"}
    answer = await client.put(f"/api/sessions/{session}/graph", content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_JSON")


def test_ids_are_ulids_that_sort_by_time() -> None:
    assert ulid(0, 0) == "0" * 26
    assert ulid(2**48 - 1, 2**80 - 1) == "7" + "Z" * 25
    assert ulid(1, 0) > ulid(0, 2**80 - 1)
    assert re.fullmatch(r"s_[0-9A-HJKMNP-TV-Z]{26}", session_id())
    assert session_id() != session_id()
