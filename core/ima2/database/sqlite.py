"""The SQLite file, off the event loop: one writing thread, two reading ones.

Journal mode WAL, foreign keys on, 5 s busy wait: the reference's choices, so that both open the same
file. Writing is durable against a killed process (``synchronous=NORMAL``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ima2.contracts import Sql, Tables
from ima2.database.batches import Batches, Outcome, Work, run_together
from ima2.database.failures import DB_CLOSED, explain, explained, failure
from ima2.database.migrations import migrate, pending
from ima2.database.repair import copy_aside
from ima2.files import private_folder

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")
_PRAGMAS = ("busy_timeout=5000", "journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL")


class Database(Sql):
    """`ima2.Sql` over a SQLite file. Open before use; ``open`` makes missing tables and runs migrations.

    What the file itself does wrong is an `Ima2Error`: ``DB_BUSY``, ``DB_FULL``, ``DB_DAMAGED``, ``DB_UNWRITABLE``,
    ``DB_CLOSED``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine: Engine | None = None
        self._writer = ThreadPoolExecutor(1, "ima2-sql-write")
        self._readers = ThreadPoolExecutor(2, "ima2-sql-read")
        self._batches = Batches(lambda works: self._on(self._writer, lambda: self._together(works)))

    async def open(self, tables: Sequence[tuple[str, Tables]] = ()) -> None:
        """Open the file, making it readable by its owner only, and bring every owner's tables up to date."""
        await self._on(self._writer, self._start)
        for owner, owned in tables:
            await self.migrate(owner, owned)

    async def migrate(self, owner: str, tables: Tables) -> None:
        """Bring one owner's tables to their newest shape, all steps or none; before the first step the file is copied.

        Raises `Ima2Error` ``DB_TOO_NEW`` for tables that a newer program made.
        """
        await self._on(self._writer, lambda: self._migrate(owner, tables))

    async def close(self) -> None:
        """Finish what was asked for and let go of the file."""
        await self._batches.settled()
        await asyncio.to_thread(self._stop)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a reading transaction."""
        return await self._on(self._readers, lambda: self._work(work, "BEGIN"))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a writing transaction, together with what else waits; calls are taken in order, and each is
        kept or undone by itself."""
        answer: T = await self._batches.add(work)
        return answer

    async def _on(self, pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, call)
        except RuntimeError as error:
            if "shutdown" in str(error):
                raise failure(DB_CLOSED) from None
            raise

    def _work(self, work: Callable[[Connection], T], begin: str, path: Path | None = None) -> T:
        assert self._engine is not None, "the database is not open"
        with explained(path, files=False), self._engine.connect() as connection:
            connection.exec_driver_sql(begin)
            try:
                answer = work(connection)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                with suppress(Exception):  # a full disk has rolled back already
                    connection.exec_driver_sql("ROLLBACK")
                raise
            return answer

    def _together(self, works: Sequence[Work]) -> Sequence[Outcome]:
        if len(works) == 1:
            return [(self._work(works[0], "BEGIN IMMEDIATE"), None)]
        outcomes = self._work(lambda connection: run_together(connection, works), "BEGIN IMMEDIATE")
        return [(answer, None if error is None else explain(error)) for answer, error in outcomes]

    def _start(self) -> None:
        from sqlalchemy import create_engine, event
        from sqlalchemy.pool import SingletonThreadPool

        with explained(self.path):
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
        present = self._work(tables_of, "BEGIN", self.path)
        if existed and "ima2_schema" not in present:
            with explained(self.path):  # before ima2 first touches a database of the reference
                copy_aside(self.path, "before-ima2-3")

    def _migrate(self, owner: str, tables: Tables) -> None:
        number = self._work(lambda connection: pending(connection, tables_of(connection), owner, tables), "BEGIN")
        if number is not None:
            with explained(self.path):
                copy_aside(self.path, f"before-{owner}-{number}")
        self._work(
            lambda connection: migrate(connection, tables_of(connection), owner, tables), "BEGIN IMMEDIATE", self.path
        )

    def _stop(self) -> None:
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def tables_of(connection: Connection) -> set[str]:
    """The names of the tables in the file."""
    return set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
