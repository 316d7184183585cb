"""Copies of the database file, and setting a damaged one aside."""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from ima2.database.failures import DB_DAMAGED, explained, failure
from ima2.errors import Ima2Error


def copy_aside(path: Path, suffix: str) -> Path:
    """A whole copy beside the file, its log included, readable by its owner only. One that is there stays."""
    copy = path.with_name(f"{path.name}.{suffix}")
    if copy.exists():
        return copy
    temporary = copy.with_name(f".{copy.name}.{os.getpid()}.{secrets.token_hex(6)}.tmp")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(temporary)) as target:
            source.backup(target)
        temporary.replace(copy)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return copy


def problem(path: Path) -> Ima2Error | None:
    """What is wrong with a database file; ``None`` when it is whole or absent."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with explained(path), closing(sqlite3.connect(path)) as connection:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    except Ima2Error as error:
        return error
    return None if answer == ("ok",) else failure(DB_DAMAGED, path)


def repair(path: Path) -> Path | None:
    """Set a damaged database aside, with its log, so that the next start makes a new one. Nothing may have it open.

    Returns where it lies now, ``None`` when the file is whole: then it is left alone. Pictures are not touched. What
    else is wrong (``DB_BUSY``, ``DB_UNWRITABLE``) is raised.
    """
    found = problem(path)
    if found is None:
        return None
    if found.code != DB_DAMAGED:
        raise found
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    with explained(path):
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
    return aside
