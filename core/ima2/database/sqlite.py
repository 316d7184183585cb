"""The SQLite file, off the event loop: one writing thread, two reading ones.

Journal mode WAL, foreign keys on, 5 s busy wait: the reference's choices, so that both open the same
file. Writing is durable against a killed process (``synchronous=NORMAL``).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ima2.contracts import Sql, Tables
from ima2.errors import Ima2Error
from ima2.files import private_folder

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")
_LEDGER = (
    "CREATE TABLE IF NOT EXISTS ima2_schema "
    "(owner TEXT PRIMARY KEY, number INTEGER NOT NULL, applied_at INTEGER NOT NULL)"
)
_PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=5000", "synchronous=NORMAL")


class Database(Sql):
    """`ima2.Sql` over a SQLite file. Open before use; ``open`` makes missing tables and runs migrations."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine: Engine | None = None
        self._writer = ThreadPoolExecutor(1, "ima2-sql-write")
        self._readers = ThreadPoolExecutor(2, "ima2-sql-read")

    async def open(self, tables: Sequence[tuple[str, Tables]] = ()) -> None:
        """Open the file, making it readable by its owner only, and bring every owner's tables up to date."""
        await self._on(self._writer, lambda: self._start(tables))

    async def close(self) -> None:
        """Finish what was asked for and let go of the file."""
        await asyncio.to_thread(self._stop)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a reading transaction."""
        return await self._on(self._readers, lambda: self._work(work, "BEGIN"))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in the writing transaction; calls are taken in order."""
        return await self._on(self._writer, lambda: self._work(work, "BEGIN IMMEDIATE"))

    async def _on(self, pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, call)
        except RuntimeError as error:
            if "shutdown" in str(error):
                raise Ima2Error("DB_CLOSED", 503, "The server is shutting down.") from None
            raise

    def _work(self, work: Callable[[Connection], T], begin: str) -> T:
        assert self._engine is not None, "the database is not open"
        with self._engine.connect() as connection:
            connection.exec_driver_sql(begin)
            try:
                answer = work(connection)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            return answer

    def _start(self, tables: Sequence[tuple[str, Tables]]) -> None:
        from sqlalchemy import create_engine, event
        from sqlalchemy.pool import SingletonThreadPool

        private_folder(self.path.parent)
        existed = self.path.exists() and self.path.stat().st_size > 0
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        self.path.chmod(0o600)
        engine = create_engine(
            f"sqlite:///{self.path}",
            poolclass=SingletonThreadPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args={"check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def _(connection: Any, _record: Any) -> None:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")

        self._engine = engine
        if existed:
            self._keep_copy()
        for owner, owned in tables:
            self._work(lambda connection, o=owner, t=owned: migrate(connection, o, t), "BEGIN IMMEDIATE")  # type: ignore[misc]

    def _keep_copy(self) -> None:
        """Before ima2 first touches a database of the reference, set a whole copy aside, its log included."""
        copy = self.path.with_name(f"{self.path.name}.before-ima2-3")
        ours = self._work(
            lambda connection: connection.exec_driver_sql(
                "SELECT count(*) FROM sqlite_master WHERE name = 'ima2_schema'"
            ).scalar_one(),
            "BEGIN",
        )
        if ours or copy.exists():
            return
        temporary = copy.with_name(f".{copy.name}.{os.getpid()}.{secrets.token_hex(6)}.tmp")
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(temporary)) as target:
                source.backup(target)
            temporary.replace(copy)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _stop(self) -> None:
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def migrate(connection: Connection, owner: str, tables: Tables) -> None:
    """Bring one owner's tables to its newest migration, in the caller's transaction.

    Tables that do not exist yet are made in their newest shape; older ones take the missing steps. A file that is
    newer than
    this program is refused (``DB_TOO_NEW``).
    """
    connection.exec_driver_sql(_LEDGER)
    newest = max((step.number for step in tables.migrations), default=0)
    known = connection.exec_driver_sql("SELECT number FROM ima2_schema WHERE owner = ?", (owner,)).scalar()
    if known is not None and known > newest:
        raise Ima2Error("DB_TOO_NEW", 500, f"The database is newer than this ima2 ({owner}: {known} > {newest}).")
    present = _present(connection, [table.name for table in tables.metadata.sorted_tables])
    start = known if known is not None else (0 if present else newest)
    for step in sorted(tables.migrations, key=lambda step: step.number):
        if step.number > start:
            for statement in step.statements:
                connection.exec_driver_sql(statement)
    tables.metadata.create_all(connection)
    connection.exec_driver_sql(
        "INSERT INTO ima2_schema VALUES (?, ?, ?) ON CONFLICT (owner) DO UPDATE SET number = excluded.number",
        (owner, newest, int(time.time() * 1000)),
    )


def _present(connection: Connection, names: list[str]) -> bool:
    rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    return bool(set(rows) & set(names))
