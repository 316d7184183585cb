"""The SQLite file: opened in place, migrated once, never shared with strangers."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from ima2 import Ima2Error, Migration, Tables
from ima2.database import sqlite
from ima2.database.repair import problem, repair
from ima2.database.sqlite import Database
from ima2.database.tables import TABLES
from ima2.jobs.store import Ledger
from ima2.models import Receipt


def notes(*migrations: Migration) -> Tables:
    metadata = MetaData()
    table = Table("notes", metadata, Column("id", Integer, primary_key=True), Column("text", Text))
    if migrations:
        table.append_column(Column("mood", Text))
    return Tables(metadata, migrations)


async def opened(path: Path, *tables: tuple[str, Tables]) -> Database:
    database = Database(path)
    await database.open(tables)
    return database


async def rows(database: Database, statement: str) -> list[tuple[object, ...]]:
    return await database.read(lambda c: [tuple(row) for row in c.exec_driver_sql(statement)])


async def test_what_is_written_is_read_back_and_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = await opened(tmp_path / "a.db", ("notes", notes()))
    await database.write(lambda c: c.exec_driver_sql("INSERT INTO notes VALUES (1, 'kept')"))

    def broken(connection: object) -> None:
        connection.exec_driver_sql("INSERT INTO notes VALUES (2, 'lost')")  # type: ignore[attr-defined]
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await database.write(broken)
    assert await rows(database, "SELECT * FROM notes") == [(1, "kept")]
    await database.close()


async def test_writes_come_in_the_order_they_were_asked_for(tmp_path: Path) -> None:
    database = await opened(tmp_path / "a.db", ("notes", notes()))
    statement = "INSERT INTO notes (text) VALUES (?)"
    await asyncio.gather(
        *(database.write(lambda c, n=n: c.exec_driver_sql(statement, (str(n),))) for n in range(50))  # type: ignore[misc]
    )
    assert [row[0] for row in await rows(database, "SELECT text FROM notes ORDER BY id")] == [str(n) for n in range(50)]
    await database.close()


async def test_an_older_table_takes_the_missing_steps_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first = await opened(path, ("notes", notes()))
    await first.write(lambda c: c.exec_driver_sql("INSERT INTO notes VALUES (1, 'old')"))
    await first.close()
    step = Migration(1, ("ALTER TABLE notes ADD COLUMN mood TEXT",))
    for _ in range(2):
        database = await opened(path, ("notes", notes(step)))
        assert await rows(database, "SELECT * FROM notes") == [(1, "old", None)]
        await database.close()


async def test_a_fresh_file_is_made_in_its_newest_shape_without_any_step(tmp_path: Path) -> None:
    step = Migration(1, ("ALTER TABLE notes ADD COLUMN mood TEXT",))
    database = await opened(tmp_path / "a.db", ("notes", notes(step)))
    assert await rows(database, "SELECT number FROM ima2_schema WHERE owner = 'notes'") == [(1,)]
    await database.close()


async def test_a_file_from_the_future_is_refused(tmp_path: Path) -> None:
    database = await opened(tmp_path / "a.db", ("notes", notes(Migration(1, ("SELECT 1",)))))
    await database.close()
    newer = Database(tmp_path / "a.db")
    with pytest.raises(Ima2Error, match="used by a newer version"):
        await newer.open([("notes", notes())])
    await newer.close()


async def test_a_database_of_the_reference_opens_in_place_and_a_copy_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE _meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        old.execute("INSERT INTO _meta VALUES ('schema_version', '5')")
        old.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, title TEXT NOT NULL)")
        old.execute("INSERT INTO sessions VALUES ('s_1', 'Poster')")
    old.close()
    for _ in range(2):
        database = await opened(path, ("ima2", TABLES))
        assert await rows(database, "SELECT * FROM sessions") == [("s_1", "Poster")]
        assert await rows(database, "SELECT value FROM _meta") == [("5",)]
        await database.close()
    copies = list(tmp_path.glob("*.before-ima2-3"))
    assert len(copies) == 1
    assert {stat.S_IMODE(one.stat().st_mode) for one in (path, *copies)} == {0o600}


async def test_the_copy_holds_what_was_still_in_the_write_ahead_log(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA journal_mode=WAL")
        old.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY)")
        old.execute("INSERT INTO sessions VALUES ('s_late')")
        old.commit()
        assert path.with_name("sessions.db-wal").stat().st_size > 0
        database = await opened(path, ("ima2", TABLES))
        await database.close()
    with closing(sqlite3.connect(tmp_path / "sessions.db.before-ima2-3")) as copy:
        assert copy.execute("SELECT id FROM sessions").fetchall() == [("s_late",)]
        assert copy.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'ima2%'").fetchone() == (0,)
    assert list(tmp_path.glob(".*.tmp")) == []


# -- the ledger of jobs: from the shape of before ------------------------------------------------

OLD_JOBS = """
CREATE TABLE ima2_jobs (id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, prompt TEXT NOT NULL DEFAULT '',
meta TEXT NOT NULL DEFAULT '{}', request TEXT NOT NULL DEFAULT '{}', receipt TEXT, session_id TEXT,
started_at INTEGER NOT NULL, phase TEXT NOT NULL DEFAULT 'queued', phase_at INTEGER NOT NULL,
status TEXT NOT NULL DEFAULT 'active', finished_at INTEGER, http_status INTEGER, error_code TEXT);
CREATE INDEX ima2_jobs_status ON ima2_jobs (status, finished_at);
CREATE TABLE ima2_schema (owner TEXT PRIMARY KEY, number INTEGER NOT NULL, applied_at INTEGER NOT NULL);
INSERT INTO ima2_schema VALUES ('ima2', 0, 1);
INSERT INTO ima2_jobs VALUES ('ran', 'classic', 'x', 'p', '{"n": 1}', '{}', NULL, 's', 5, 'streaming', 7, 'active',
NULL, NULL, NULL);
INSERT INTO ima2_jobs VALUES ('paid', 'video', 'x', 'p', '{}', '{}', '{"id": "r", "data": {}}', NULL, 5, 'queued', 8,
'active', NULL, NULL, NULL);
INSERT INTO ima2_jobs VALUES ('done', 'classic', 'x', 'p', '{}', '{}', NULL, NULL, 5, 'queued', 7, 'completed', 9, 200,
NULL);
"""


async def test_jobs_of_before_stay_readable_and_count_as_ordered_and_told(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(OLD_JOBS)
    for _ in range(2):
        database = await opened(path, ("ima2", TABLES))
        ledger = Ledger(database)
        assert [(one.id, one.ordered_at, one.fence) for one in await ledger.open()] == [("ran", 7, 1), ("paid", 8, 1)]
        paid = await ledger.get("paid")
        assert paid is not None
        assert paid.receipt == Receipt("r")
        assert [one.id for one in await ledger.ended_since(0)] == ["done"]
        assert await ledger.untold() == []
        await database.close()
    assert [one.name for one in tmp_path.glob("*.before-*")] == ["sessions.db.before-ima2-1"]


async def test_a_migrated_ledger_has_the_columns_of_a_new_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.executescript(OLD_JOBS)
    columns = []
    for name in ("old.db", "new.db"):
        database = await opened(tmp_path / name, ("ima2", TABLES))
        columns.append(sorted(str(row[1]) for row in await rows(database, "PRAGMA table_info(ima2_jobs)")))
        await database.close()
    assert columns[0] == columns[1]


async def test_a_database_of_the_reference_with_a_table_we_share_takes_no_step(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(sqlite3.connect(path)) as old:
        old.execute("CREATE TABLE gallery_favorites (id TEXT PRIMARY KEY, browser_id TEXT, filename TEXT)")
    database = await opened(path, ("ima2", TABLES))
    assert await rows(database, "SELECT number FROM ima2_schema WHERE owner = 'ima2'") == [(1,)]
    await database.close()


async def test_a_step_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first = await opened(path, ("notes", notes()))
    await first.write(lambda c: c.exec_driver_sql("INSERT INTO notes VALUES (1, 'old')"))
    await first.close()
    broken = Migration(1, ("ALTER TABLE notes ADD COLUMN mood TEXT", "ALTER TABLE absent ADD COLUMN x TEXT"))
    database = Database(path)
    with pytest.raises(Exception, match="no such table"):
        await database.open([("notes", notes(broken))])
    assert await rows(database, "SELECT * FROM notes") == [(1, "old")]
    await database.close()


# -- what goes wrong with the file -----------------------------------------------------------------


async def failure_of(path: Path) -> Ima2Error:
    database = Database(path)
    with pytest.raises(Ima2Error) as caught:
        await database.open([("ima2", TABLES)])
    await database.close()
    return caught.value


async def test_a_damaged_file_is_named_and_set_aside_on_request_only(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    path.write_bytes(b"no database at all " * 500)
    error = await failure_of(path)
    assert error.code == "DB_DAMAGED"
    assert str(path) in error.text
    assert "--repair" in error.text
    assert path.exists()
    aside = repair(path)
    assert aside is not None
    assert aside.read_bytes().startswith(b"no database")
    database = await opened(path, ("ima2", TABLES))
    await database.close()
    assert repair(path) is None
    assert path.exists()


async def test_a_page_that_was_overwritten_is_found(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    database = await opened(path, ("notes", notes()))
    await database.write(lambda c: c.exec_driver_sql("INSERT INTO notes VALUES (1, ?)", ("x" * 50_000,)))
    await database.close()
    assert problem(path) is None
    whole = bytearray(path.read_bytes())
    whole[4096:12288] = b"\xff" * 8192
    path.write_bytes(whole)
    found = problem(path)
    assert found is not None
    assert found.code == "DB_DAMAGED"
    assert repair(path) is not None


async def test_a_locked_file_is_a_sentence_and_never_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_PRAGMAS", ("busy_timeout=20", "foreign_keys=ON"))
    path = tmp_path / "sessions.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("CREATE TABLE t (x)")
        error = await failure_of(path)
        assert (error.code, error.status) == ("DB_BUSY", 503)
        assert "Close that program" in error.text
        other.execute("COMMIT")
        with pytest.raises(Ima2Error, match="Another program"):
            repair(path)
    assert path.exists()


async def test_a_write_to_a_locked_database_says_so_and_works_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_PRAGMAS", ("busy_timeout=20", "journal_mode=WAL"))
    database = await opened(tmp_path / "a.db", ("notes", notes()))
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Ima2Error) as caught:
            await database.write(lambda c: c.exec_driver_sql("INSERT INTO notes VALUES (1, 'x')"))
        assert caught.value.code == "DB_BUSY"
        other.execute("COMMIT")
    await database.write(lambda c: c.exec_driver_sql("INSERT INTO notes VALUES (1, 'x')"))
    await database.close()


async def test_a_full_disk_rolls_back_and_says_so(tmp_path: Path) -> None:
    database = await opened(tmp_path / "a.db", ("notes", notes()))

    def fill(connection: object) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1")  # type: ignore[attr-defined]
        connection.exec_driver_sql("INSERT INTO notes VALUES (1, ?)", ("x" * 500_000,))  # type: ignore[attr-defined]

    with pytest.raises(Ima2Error) as caught:
        await database.write(fill)
    assert (caught.value.code, caught.value.status) == ("DB_FULL", 507)
    assert await rows(database, "SELECT * FROM notes") == []
    await database.close()


async def test_a_place_that_cannot_be_written_is_a_sentence_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    error = await failure_of(tmp_path / "file" / "sessions.db")
    assert error.code == "DB_UNWRITABLE"
    assert "IMA2_DB_PATH" in error.text


async def test_after_closing_the_database_says_that_it_is_closed(tmp_path: Path) -> None:
    database = await opened(tmp_path / "a.db")
    await database.close()
    with pytest.raises(Ima2Error) as caught:
        await database.write(lambda c: None)
    assert caught.value.code == "DB_CLOSED"


async def test_a_broken_rule_of_a_table_is_the_callers_own_affair(tmp_path: Path) -> None:
    database = await opened(tmp_path / "a.db", ("notes", notes()))
    statement = "INSERT INTO notes VALUES (1, 'x')"
    await database.write(lambda c: c.exec_driver_sql(statement))
    with pytest.raises(Exception, match="UNIQUE"):
        await database.write(lambda c: c.exec_driver_sql(statement))
    await database.close()
