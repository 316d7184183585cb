"""SQL is SQLAlchemy Core, so that another engine can take the place of SQLite; only its own part speaks a dialect."""

from __future__ import annotations

import ast
import re

import pytest
from sqlalchemy import BigInteger

from ima2.database.tables import TABLES
from tests.architecture.rules import CORE, PLUGINS, PROVIDERS, imports

DIALECT = re.compile(
    r"exec_driver_sql|sqlite_master|\bPRAGMA\b|\bINSERT OR |\bON CONFLICT\b|sqlalchemy\.dialects|\(strftime"
)


def dialect(source: str) -> list[str]:
    """What a source says to one database engine alone, comments and docstrings aside."""
    tree = ast.parse(source)
    words = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words
    ]
    names = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    modules = [name for name, _ in imports(source)]
    return [text for text in (*texts, *names, *modules) if DIALECT.search(text)]


def test_no_dialect_of_sql_is_spoken_outside_the_folder_of_the_database() -> None:
    roots = (CORE, PLUGINS, *PROVIDERS.values())
    found = {
        str(path): dialect(path.read_text())
        for root in roots
        for path in sorted(root.rglob("*.py"))
        if path.parent != CORE / "ima2" / "database"
    }
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "source",
    [
        "c.exec_driver_sql('SELECT 1')",
        "text('PRAGMA user_version')",
        "c.execute(text('INSERT OR IGNORE INTO t VALUES (1)'))",
        "from sqlalchemy.dialects.sqlite import insert",
    ],
)
def test_a_planted_dialect_is_found(source: str) -> None:
    assert dialect(source)


def test_times_in_the_database_have_64_bits() -> None:
    for table in TABLES.metadata.sorted_tables:
        times = [column for column in table.columns if column.name.endswith("_at") or column.name == "modified"]
        assert [column.name for column in times if not isinstance(column.type, BigInteger)] == []
