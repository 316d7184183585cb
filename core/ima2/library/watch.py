"""When to look at the folder again, told from the times of its folders and of our own writing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ima2.contracts import Storage

LOOK_S = 3.0
"""Seconds between two looks at the folders' times."""
QUIET_S = 5.0
"""Our own writing hides what others do meanwhile: that long after it the files are compared."""
WHOLE_S = 60.0
"""Files that change in place leave no trace in their folder: so often they are compared anyway."""
REMOTE_S = 300.0
"""The same for a storage without folders of this machine, where every look has a price."""
SHARE = 20
"""A comparison that takes long is made seldom: it may take a twentieth of the time."""


class Watch:
    """Tells whether files may have come, gone or changed by another's hand since they were last compared."""

    def __init__(self, storage: Storage) -> None:
        local = storage.local_path("x")
        self._root: Path | None = local.parent if local is not None else None
        self._folders: frozenset[str] = frozenset({""})
        self._seen: dict[str, int] = {}
        self._writing = 0
        self._clean = True
        self._wrote_at = float("-inf")
        self._hidden = False
        self._looked_at = float("-inf")
        self._ended_at = float("-inf")
        self._took = 0.0

    def begin(self) -> float:
        """Note that the files are about to be compared, as the folders stand now."""
        self._seen, self._hidden = self._times(), self._writing > 0
        return time.monotonic()

    def end(self, began: float, keys: Iterable[str]) -> None:
        """Note that they were, and which folders there are."""
        self._ended_at = time.monotonic()
        self._took = self._ended_at - began
        folders = frozenset(key.rpartition("/")[0] for key in keys) | {""}
        for folder in folders - self._folders:
            self._seen.setdefault(folder, self._time(folder))
        self._folders = folders

    @contextmanager
    def own(self) -> Iterator[None]:
        """Mark that we ourselves write: what changes until then is no news, unless something had changed before."""
        if not self._writing:
            self._clean = self._times() == self._seen
        self._writing += 1
        try:
            yield
        finally:
            self._writing -= 1
            self._wrote_at, self._hidden = time.monotonic(), True
            if not self._writing and self._clean:
                self._seen = self._times()

    def is_due(self) -> bool:
        """Whether the files are to be compared now. Cheap enough to be asked with every page."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_S or now - self._ended_at < SHARE * self._took:
            return False
        self._looked_at = now
        if self._root is None:
            return now - self._ended_at > max(REMOTE_S, SHARE * self._took)
        if now - self._ended_at > WHOLE_S or (not self._writing and self._times() != self._seen):
            return True
        return self._hidden and now - self._wrote_at > QUIET_S

    def _times(self) -> dict[str, int]:
        return {folder: self._time(folder) for folder in self._folders}

    def _time(self, folder: str) -> int:
        try:
            return (self._root / folder).stat().st_mtime_ns if self._root is not None else 0
        except OSError:
            return 0
