"""Who runs a job: this process, told from a dead one by a lock that dies with it; and who serves the folder."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ima2.errors import Ima2Error
from ima2.files import private_folder


class ProcessLock:
    """One process's claim to its jobs. ``id`` is stored with each; the lock file tells others that it lives."""

    def __init__(self, config_dir: Path) -> None:
        self.id = secrets.token_hex(8)
        with _writable(config_dir):
            self._folder = private_folder(config_dir / "state" / "owners")
            self._lock = FileLock(self._folder / f"{self.id}.lock", mode=0o600)
            self._lock.acquire(timeout=0)

    def is_alive(self, owner: str) -> bool:
        """Whether the process that stored this id still runs."""
        if owner == self.id:
            return True
        path = self._folder / f"{Path(owner).name}.lock"
        if not path.exists():
            return False
        try:
            with FileLock(path, timeout=0):
                path.unlink(missing_ok=True)
        except Timeout:
            return True
        return False

    def release(self) -> None:
        """Let go; the jobs that are still stored as running are nobody's now."""
        self._lock.release()
        (self._folder / f"{self.id}.lock").unlink(missing_ok=True)


@contextmanager
def only_server(config_dir: Path, other: str) -> Iterator[None]:
    """Hold the folder for one server. ``SERVER_RUNNING`` when there is one already; ``other`` says where it is."""
    with _writable(config_dir):
        lock = FileLock(private_folder(config_dir / "state") / "server.lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            text = (
                f"ima2 serves this folder ({config_dir}) already{other}. Use that one or stop it first; a second one "
                "needs a folder of its own (IMA2_CONFIG_DIR)."
            )
            raise Ima2Error("SERVER_RUNNING", 409, text) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        text = (
            f"The folder {folder} cannot be used: {error.strerror or type(error).__name__}. Make it writable and see "
            "that its disk has room, or name another one with IMA2_CONFIG_DIR."
        )
        raise Ima2Error("CONFIG_DIR_UNWRITABLE", 500, text) from None
