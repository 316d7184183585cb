"""What goes wrong with the database is told, loses nothing, and stops nobody else."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.graph.saving import node, save

import ima2_plugins.graph
from ima2.database import sqlite
from ima2.testing import EchoProvider, plugin
from ima2_plugins.graph.tables import NODES, SESSIONS

BODY = {"prompt": "a boat", "provider": "echo"}


@pytest.fixture
async def impatient(ima2_client: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A studio that waits for no other program."""
    quick = ("busy_timeout=50", *(one for one in sqlite._PRAGMAS if "busy" not in one))
    monkeypatch.setattr(sqlite, "_PRAGMAS", quick)
    async with ima2_client(graph=ima2_plugins.graph, echo=plugin(providers=[EchoProvider()])) as client:
        yield client


async def test_a_locked_database_is_told_and_the_graph_can_be_saved_afterwards(impatient: Any, tmp_path: Path) -> None:
    session = (await impatient.post("/api/sessions")).json()["session"]["id"]
    with closing(sqlite3.connect(tmp_path / "home" / "sessions.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        told = await save(impatient, session, 0, [node("a")])
        assert (told.status_code, told.json()["error"]["code"]) == (503, "DB_BUSY")
        assert (await impatient.get(f"/api/sessions/{session}")).json()["session"]["graphVersion"] == 0
        other.rollback()
    assert (await save(impatient, session, 0, [node("a")])).json()["graphVersion"] == 1


async def test_a_style_that_is_no_json_counts_as_none(client: Any, session: str) -> None:
    values = {"style_sheet": "{no json", "style_sheet_enabled": 1}
    await client.runtime.database.write(lambda c: c.execute(sa.update(SESSIONS).values(values)))
    found = (await client.get(f"/api/sessions/{session}/style-sheet")).json()
    assert found == {"styleSheet": None, "enabled": True}
    made = await client.post("/api/generate", json={**BODY, "sessionId": session})
    assert made.status_code == 200


async def test_a_damaged_node_does_not_keep_others_from_being_marked(client: Any, session: str) -> None:
    await save(client, session, 0, [node("a", imageUrl="/generated/a.png"), node("b", imageUrl="/generated/a.png")])
    broken = sa.update(NODES).where(NODES.c.id == "a").values(data='{"imageUrl": "/generated/a.png"')
    await client.runtime.database.write(lambda c: c.execute(broken))
    assert await client.runtime.library.announce_removal(["a.png"]) == {"sessionsTouched": 1, "nodesTouched": 1}
    stored = await client.runtime.database.read(lambda c: c.execute(sa.select(NODES.c.data)).scalars().all())
    assert '{"imageUrl": "/generated/a.png"' in stored


async def test_no_words_of_a_request_or_graph_reach_the_log(
    client: Any, session: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "a-very-secret-heron"
    await client.put(f"/api/sessions/{session}/style-sheet", json={"mood": secret, "enabled": True})
    await save(client, session, 0, [node("a", prompt=secret), node("a", prompt=secret)])
    await save(client, session, 0, [node("b", prompt=secret)])
    await client.post("/api/generate", json={**BODY, "sessionId": session})
    assert secret not in caplog.text
