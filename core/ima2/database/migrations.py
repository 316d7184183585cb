"""From older shapes of tables to the newest, each owner's steps in one transaction."""

from __future__ import annotations

import time
from collections.abc import Set
from typing import TYPE_CHECKING

from ima2.contracts import Tables
from ima2.errors import Ima2Error

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

SHARED = {"shared": True}
"""``info`` of a table that other programs make too: that it is there says nothing of our own version."""


def pending(connection: Connection, present: Set[str], owner: str, tables: Tables) -> int | None:
    """The number of the first step an owner's tables still have to take, ``None`` when there is none."""
    start = _start(connection, present, owner, tables)
    return min((step.number for step in tables.migrations if step.number > start), default=None)


def migrate(connection: Connection, present: Set[str], owner: str, tables: Tables) -> None:
    """Bring one owner's tables to its newest migration, in the caller's transaction.

    Tables that do not exist yet are made in their newest shape; older ones take the missing steps. A file that is
    newer than this program is refused (``DB_TOO_NEW``).
    """
    schema, newest = _schema(), _newest(tables)
    schema.create(connection, checkfirst=True)
    start = _start(connection, present, owner, tables)
    if start > newest:
        raise Ima2Error(
            "DB_TOO_NEW",
            500,
            f"The database was used by a newer version: the tables of {owner} have step {start}, and this version "
            f"knows {newest}. Install the newer version again, or name another database with IMA2_DB_PATH.",
        )
    for step in sorted(tables.migrations, key=lambda step: step.number):
        if step.number > start:
            for statement in step.statements:
                connection.exec_driver_sql(statement)
    tables.metadata.create_all(connection)
    _complete(connection, present, tables)
    values = {"number": newest, "applied_at": int(time.time() * 1000)}
    if connection.execute(schema.update().where(schema.c.owner == owner).values(values)).rowcount == 0:
        connection.execute(schema.insert().values({**values, "owner": owner}))


def _complete(connection: Connection, present: Set[str], tables: Tables) -> None:
    """Add to tables that other programs made long ago the columns that came later."""
    from sqlalchemy import inspect
    from sqlalchemy.schema import CreateColumn

    dialect = connection.dialect
    for table in tables.metadata.sorted_tables:
        if table.name not in present or not table.info.get("shared"):
            continue
        known = {str(column["name"]) for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in known and (column.nullable or column.server_default is not None):
                name = dialect.identifier_preparer.format_table(table)
                added = CreateColumn(column).compile(dialect=dialect)
                connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {added}")


def _start(connection: Connection, present: Set[str], owner: str, tables: Tables) -> int:
    """The last step that the tables have taken. New tables are made as they are and need none."""
    schema = _schema()
    if schema.name in present:
        step = connection.execute(schema.select().where(schema.c.owner == owner)).first()
        if step is not None:
            return int(step.number)
    own = {table.name for table in tables.metadata.sorted_tables if not table.info.get("shared")}
    return 0 if own & present else _newest(tables)


def _newest(tables: Tables) -> int:
    return max((step.number for step in tables.migrations), default=0)


def _schema() -> Table:
    from ima2.database.tables import schema

    return schema
