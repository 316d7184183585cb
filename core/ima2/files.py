"""Files that are whole or absent."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: Path, data: bytes, *, mode: int = 0o600, replace: bool = True) -> None:
    """Write a file so that a reader, or a crash, sees the old one, the new one or none.

    A temporary file of unique name in the same folder, flushed to disk, then renamed. With ``replace=False`` an
    existing file is
    ``FileExistsError``. The folder must exist.
    """
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            os.link(temporary, path)
            temporary.unlink()
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def private_folder(path: Path) -> Path:
    """Make a folder (and its parents) that only its owner can enter; an existing one keeps its mode."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    return path


def sweep(folder: Path) -> None:
    """Remove the temporary files in ``folder`` of writers that are dead: what a killed process left behind."""
    for path in folder.glob(".*.tmp"):
        parts = path.name.split(".")
        if len(parts) > 4 and parts[-3].isdigit() and not is_running(int(parts[-3])):
            path.unlink(missing_ok=True)


def is_running(pid: int) -> bool:
    """Whether a process of that number exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
