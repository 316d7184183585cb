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
from ima2.database.sqlite import Database
from ima2.database.tables import TABLES


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
