"""Who runs a job: this process, told from a dead one by a lock that dies with it."""

from __future__ import annotations

import secrets
from pathlib import Path

from filelock import FileLock, Timeout

from ima2.files import private_folder


class ProcessLock:
    """One process's claim to its jobs. ``id`` is stored with each; the lock file tells others that it lives."""

    def __init__(self, config_dir: Path) -> None:
        self.id = secrets.token_hex(8)
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
