"""A database of ima2-gen opens in place, and ima2-gen can go on with it afterwards."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.unit.graph import reference_database as reference
from tests.unit.graph.saving import node, save

import ima2_plugins.canvas
import ima2_plugins.graph

ME = {"X-Ima2-Browser-Id": "b_me"}
PARTS = {"graph": ima2_plugins.graph, "canvas": ima2_plugins.canvas}


async def test_everything_is_there_at_the_first_start_and_no_row_changes(ima2_client: Any, tmp_path: Path) -> None:
    database = tmp_path / "home" / "sessions.db"
    reference.make(database, sessions=50)
    before, shape = reference.content(database), reference.shape(database)
    async with ima2_client(**PARTS) as client:
        listed = (await client.get("/api/sessions")).json()["sessions"]
        assert [(one["title"], one["nodeCount"]) for one in listed] == [(f"T{n}", 2) for n in range(49, -1, -1)]
        session = (await client.get(f"/api/sessions/{listed[0]['id']}")).json()["session"]
        assert [(one["id"], one["x"], one["y"]) for one in session["nodes"]] == [("b", 1.5, -2), ("a", 1.5, -2)]
        assert session["edges"] == [{"id": "e", "source": "b", "target": "a", "data": {}}]
        notes = (await client.get("/api/annotations/7.png", headers=ME)).json()
        assert notes["annotations"]["memos"] == [7]
    assert reference.content(database) == before
    assert reference.shape(database) == shape


async def test_ima2_gen_reads_and_drops_what_was_changed_here(ima2_client: Any, tmp_path: Path) -> None:
    database = tmp_path / "home" / "sessions.db"
    reference.make(database)
    async with ima2_client(**PARTS) as client:
        session = (await client.get("/api/sessions")).json()["sessions"][0]["id"]
        assert (await save(client, session, 0, [node("new", prompt="ours")])).status_code == 200
        await client.put("/api/annotations/0.png", json={"memos": ["ours"]}, headers=ME)
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("PRAGMA foreign_keys = ON")
        assert db.execute("SELECT id, graph_version FROM sessions WHERE id = ?", (session,)).fetchall() == [
            (session, 1)
        ]
        assert [row[0] for row in db.execute("SELECT id FROM nodes WHERE session_id = ?", (session,))] == ["new"]
        assert db.execute("SELECT value FROM _meta WHERE key = 'schema_version'").fetchone() == ("5",)
        insert = "INSERT INTO image_annotations (id, browser_id, filename, payload) VALUES ('x', 'b', 'f', '{}')"
        db.execute(insert)
        db.execute("DELETE FROM sessions WHERE id = ?", (session,))
        assert db.execute("SELECT count(*) FROM nodes WHERE session_id = ?", (session,)).fetchone() == (0,)


async def test_a_file_from_before_graphs_had_numbers_gets_what_it_lacks(ima2_client: Any, tmp_path: Path) -> None:
    database = tmp_path / "home" / "sessions.db"
    reference.make(database, later=False)
    async with ima2_client(**PARTS) as client:
        session = (await client.get("/api/sessions")).json()["sessions"][0]
        assert (session["title"], session["graphVersion"]) == ("T2", 0)
        await client.put(f"/api/sessions/{session['id']}/style-sheet", json={"mood": "calm", "enabled": True})
        assert (await save(client, session["id"], 0, [node("a")])).json()["graphVersion"] == 1
    reference.make(tmp_path / "other.db")
    assert reference.shape(database) == reference.shape(tmp_path / "other.db")


async def test_a_new_file_has_the_shape_that_ima2_gen_makes(ima2_client: Any, tmp_path: Path) -> None:
    async with ima2_client(**PARTS):
        pass
    reference.make(tmp_path / "theirs.db")
    assert reference.shape(tmp_path / "home" / "sessions.db") == reference.shape(tmp_path / "theirs.db")
