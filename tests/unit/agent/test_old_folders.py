"""A folder of ima2-gen opens in place, with columns that its older versions did not have and an item that a crash left
running."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from tests.unit.agent.conftest import OpenDesk

OLD = """
create table _meta (key text primary key, value text not null);
insert into _meta values ('schema_version', '5');
create table agent_sessions (id text primary key, title text not null default 'New Agent', codex_thread_id text,
  last_turn_id text, current_image_id text, compacted integer not null default 0,
  web_search_enabled integer not null default 1, style_locks text not null default '[]',
  subject_locks text not null default '[]', created_at integer not null, updated_at integer not null);
create table agent_turns (id text primary key, session_id text not null, role text not null,
  text text not null default '', status text not null default 'complete', image_ids text not null default '[]',
  web_finding_ids text not null default '[]',
  raw text not null default '{}', created_at integer not null);
create table agent_queue_items (id text primary key, session_id text not null, prompt text not null default '',
  status text not null default 'queued', created_at integer not null);
insert into agent_sessions (id, title, style_locks, created_at, updated_at) values ('as_old', 'Old', 'no JSON', 1, 2);
insert into agent_turns (id, session_id, role, text, raw, created_at)
  values ('at_b', 'as_old', 'assistant', 'b', '[', 5);
insert into agent_turns (id, session_id, role, text, created_at) values ('at_a', 'as_old', 'user', 'a', 5);
insert into agent_queue_items values ('aq_old', 'as_old', 'a heron', 'running', 3);
"""


async def test_an_old_folder_opens_and_its_item_runs(open_desk: OpenDesk, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with sqlite3.connect(home / "sessions.db") as database:
        database.executescript(OLD)
    database.close()
    async with open_desk() as desk:
        found = await desk.ask("GET", "/sessions/as_old")
        assert [one["id"] for one in found["turnsBySession"]["as_old"]][:2] == ["at_a", "at_b"]
        assert found["sessions"][0]["generationSettings"]["provider"] == "painter"
        assert (await desk.ended("aq_old"))["status"] == "succeeded"


async def test_two_processes_on_one_folder_do_not_run_one_item_twice(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await asyncio.sleep(0.1)
        async with open_desk(painter=desk.painter.__class__()) as other:
            session = await other.session()
            item = await other.write(session, "a heron")
            assert (await other.ended(item["id"]))["status"] == "succeeded"
            assert len(desk.painter.asked) + len(other.painter.asked) == 1
