"""Saving a graph: what is checked, that two writers never lose each other's work, and that old versions come back."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from tests.unit.graph.saving import node, save


async def read(client: httpx.AsyncClient, session: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/api/sessions/{session}")).json()["session"]
    return found


async def test_a_session_shows_its_graph_flat_and_as_the_command_line_reads_it(
    client: httpx.AsyncClient, session: str
) -> None:
    edges = [{"id": "e", "source": "a", "target": "b", "data": {}}]
    assert (await save(client, session, 0, [node("b"), node("a", serverNodeId="n_1")], edges)).json()[
        "graphVersion"
    ] == 1
    found = await read(client, session)
    assert [one["id"] for one in found["nodes"]] == ["b", "a"]
    assert found["nodes"][0]["data"] == {"parentServerNodeId": "n_1"}
    assert found["graph"] == {"nodes": found["nodes"], "edges": edges, "version": 1}
    assert found["styleSheet"] == {"enabled": False}
    answer = (await client.get(f"/api/sessions/{session}/graph")).json()
    assert answer == {**found["graph"], "graphVersion": 1}


@pytest.mark.parametrize("header", ["0", '"0"', "0.0"])
async def test_the_version_may_be_bare_or_quoted(client: httpx.AsyncClient, session: str, header: str) -> None:
    assert (await save(client, session, header, [node("a")])).status_code == 200


@pytest.mark.parametrize("header", ["*", 'W/"0"', '""', "one", "nan", "1e400"])
async def test_what_is_no_version_is_refused(client: httpx.AsyncClient, session: str, header: str) -> None:
    answer = await save(client, session, header, [node("a")])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_GRAPH_VERSION")


async def test_of_two_writers_at_once_one_is_told_to_read_again(client: httpx.AsyncClient, session: str) -> None:
    answers = await asyncio.gather(*(save(client, session, 0, [node(name)]) for name in "abcd"))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
    lost = next(one for one in answers if one.status_code == 409).json()
    assert (lost["error"]["code"], lost["currentVersion"]) == ("GRAPH_VERSION_CONFLICT", 1)


async def test_an_empty_graph_takes_the_place_of_a_full_one_only_when_told_so(
    client: httpx.AsyncClient, session: str
) -> None:
    await save(client, session, 0, [node("a")])
    refused = await save(client, session, 1, [])
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "GRAPH_EMPTY")
    assert len((await read(client, session))["nodes"]) == 1
    assert (await save(client, session, 1, [], allowEmpty=True)).json()["graphVersion"] == 2
    assert (await read(client, session))["nodes"] == []


@pytest.mark.parametrize(
    ("nodes", "edges", "status", "code"),
    [
        ([node("a"), node("a")], [], 400, "INVALID_GRAPH"),
        ([node("a\x00")], [], 400, "INVALID_GRAPH"),
        ([node("a" * 10_001)], [], 400, "INVALID_GRAPH"),
        ([node("a", text="x" * 100_000)], [], 413, "GRAPH_TOO_LARGE"),
        ([node("a")], [{}] * 1001, 413, "GRAPH_TOO_LARGE"),
    ],
)
async def test_nothing_that_a_client_would_miss_is_dropped(
    client: httpx.AsyncClient, session: str, nodes: list[Any], edges: list[Any], status: int, code: str
) -> None:
    answer = await save(client, session, 0, nodes, edges)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (await read(client, session))["graphVersion"] == 0


async def test_bad_entries_do_not_stop_the_others_and_are_counted(client: httpx.AsyncClient, session: str) -> None:
    nodes = [node("a"), {"x": 1}, 5, None, {"id": "b", "position": {"x": 7, "y": "no"}, "data": "none"}]
    edges = [{"id": "e", "source": "a", "target": "gone"}, {"source": "a", "target": "b"}, "x"]
    answer = (await save(client, session, 0, nodes, edges)).json()
    assert answer == {"ok": True, "nodes": 5, "edges": 3, "graphVersion": 1, "skipped": {"nodes": 3, "edges": 3}}
    found = await read(client, session)
    assert [(one["id"], one["x"], one["y"]) for one in found["nodes"]] == [("a", 1, 2), ("b", 7, 0)]
    assert found["edges"] == []


async def test_the_last_twenty_versions_are_kept_and_any_of_them_comes_back(
    client: httpx.AsyncClient, session: str
) -> None:
    for version in range(25):
        await save(client, session, version, [node(f"n{version + 1}")])
    base = f"/api/sessions/{session}/graph/versions"
    listed = (await client.get(base)).json()["versions"]
    assert [one["version"] for one in listed] == list(range(25, 5, -1))
    assert (await client.get(f"{base}/5")).json()["error"]["code"] == "GRAPH_VERSION_NOT_FOUND"
    assert (await client.get(f"{base}/6")).json()["nodes"][0]["id"] == "n6"
    assert (await client.post(f"{base}/6/restore")).status_code == 428
    stale = await client.post(f"{base}/6/restore", headers={"If-Match": "24"})
    assert stale.json()["currentVersion"] == 25
    back = await client.post(f"{base}/6/restore", headers={"If-Match": "25"})
    assert back.json() == {"ok": True, "nodes": 1, "edges": 0, "graphVersion": 26}
    assert [one["id"] for one in (await read(client, session))["nodes"]] == ["n6"]


async def test_what_another_program_wrote_can_come_back_too(client: Any, session: str) -> None:
    import sqlalchemy as sa

    from ima2_plugins.graph.tables import NODES, SESSIONS

    def elsewhere(connection: sa.Connection) -> None:
        connection.execute(sa.insert(NODES), {"session_id": session, "id": "theirs", "data": "{}"})
        connection.execute(sa.insert(NODES), {"session_id": session, "id": "odd", "data": "no json"})
        connection.execute(sa.update(SESSIONS).values(graph_version=4))

    await client.runtime.database.write(elsewhere)
    await save(client, session, 4, [node("ours")])
    old = (await client.get(f"/api/sessions/{session}/graph/versions/4")).json()
    assert [(one["id"], one["data"]) for one in old["nodes"]] == [("theirs", {}), ("odd", {})]


async def test_a_dropped_session_takes_its_graph_and_versions_along(client: Any, session: str) -> None:
    import sqlalchemy as sa

    from ima2_plugins.graph.tables import NODES, VERSIONS

    await save(client, session, 0, [node("a")])
    assert (await client.delete(f"/api/sessions/{session}")).json() == {"ok": True}
    for table in (NODES, VERSIONS):
        count = sa.select(sa.func.count()).select_from(table)
        assert (
            await client.runtime.database.read(lambda connection, count=count: connection.execute(count).scalar()) == 0
        )
    assert (await save(client, session, 1, [node("a")])).status_code == 404
