"""What can go wrong with the database file, said with the way out."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ima2.errors import Ima2Error

DB_BUSY, DB_FULL, DB_DAMAGED, DB_UNWRITABLE, DB_CLOSED = "DB_BUSY DB_FULL DB_DAMAGED DB_UNWRITABLE DB_CLOSED".split()
_PASSING = frozenset({DB_BUSY, DB_FULL, DB_UNWRITABLE})
_CODES = {
    sqlite3.SQLITE_BUSY: DB_BUSY,
    sqlite3.SQLITE_LOCKED: DB_BUSY,
    sqlite3.SQLITE_FULL: DB_FULL,
    sqlite3.SQLITE_CORRUPT: DB_DAMAGED,
    sqlite3.SQLITE_NOTADB: DB_DAMAGED,
    sqlite3.SQLITE_READONLY: DB_UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: DB_UNWRITABLE,
    sqlite3.SQLITE_PERM: DB_UNWRITABLE,
    sqlite3.SQLITE_IOERR: DB_UNWRITABLE,
}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_STATUS = {DB_BUSY: 503, DB_FULL: 507}
_SENTENCES = {
    DB_BUSY: "Another program holds the database{at} and did not let go in time. Close that program and try again.",
    DB_FULL: "The disk with the database{at} is full. Free some space and try again.",
    DB_DAMAGED: "The database{at} is damaged. `ima2 doctor --repair` sets it aside and begins a new one; pictures "
    "are not touched, and the gallery is read from them anew.",
    DB_UNWRITABLE: "The database{at} cannot be written. Make its folder and file writable for this user, or name "
    "another place with IMA2_DB_PATH.",
    DB_CLOSED: "The server is shutting down.",
}


def failure(code: str, path: Path | None = None) -> Ima2Error:
    """The error of one code; ``path`` is named where a person at this machine reads it."""
    text = _SENTENCES[code].format(at=f" {path}" if path else "")
    return Ima2Error(code, _STATUS.get(code, 503 if code == DB_CLOSED else 500), text)


def may_pass(error: BaseException) -> bool:
    """Whether trying again later makes sense."""
    return isinstance(error, Ima2Error) and error.code in _PASSING


def code_of(error: BaseException) -> str | None:
    """The code of what SQLite or the file system raised, ``None`` for anything else (a bug, a broken rule)."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, OSError):
        return DB_FULL if cause.errno in _FULL else DB_UNWRITABLE
    if not isinstance(cause, sqlite3.Error):
        return None
    return _CODES.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)


def explain(error: BaseException) -> BaseException:
    """What one change of several raised, as `explained` would tell it."""
    code = None if isinstance(error, OSError) else code_of(error)
    return error if code is None or isinstance(error, Ima2Error) else failure(code)


@contextmanager
def explained(path: Path | None = None, *, files: bool = True) -> Iterator[None]:
    """Turn what SQLite and (with ``files``) the file system raise into an `Ima2Error`. Their own texts, which may quote
    rows, go no further."""
    try:
        yield
    except Ima2Error:
        raise
    except Exception as error:
        code = code_of(error) if files or not isinstance(error, OSError) else None
        if code is None:
            raise
        raise failure(code, path) from error
