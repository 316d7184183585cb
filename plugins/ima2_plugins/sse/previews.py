"""Previews in memory, for listeners that take pictures by address."""

from __future__ import annotations

import secrets
import time

import ima2

PATH = "/api/events/previews/"


class Previews:
    """At most ``limit`` bytes of pictures under names that cannot be guessed; the oldest make room.

    A job's previews go ``grace`` seconds after it ended.
    """

    def __init__(self, limit: int, grace: float) -> None:
        self._limit = limit
        self._grace = grace
        self._pictures: dict[str, tuple[str, ima2.Picture]] = {}
        self._ended: dict[str, float] = {}
        self.size = 0

    def keep(self, job_id: str, picture: ima2.Picture) -> str | None:
        """Hold a picture and say its address; ``None`` when it is larger than all the room there is."""
        if len(picture.data) > self._limit:
            return None
        self.size += len(picture.data)
        token = secrets.token_urlsafe(16)
        self._pictures[token] = (job_id, picture)
        while self.size > self._limit:
            self._drop(next(iter(self._pictures)))
        return PATH + token

    def get(self, token: str) -> ima2.Picture | None:
        """The picture of that name, if it is still here."""
        found = self._pictures.get(token)
        return found[1] if found else None

    def end(self, job_id: str) -> None:
        """Say that a job ended: its previews are only wanted a little longer."""
        if any(owner == job_id for owner, _ in self._pictures.values()):
            self._ended[job_id] = time.monotonic() + self._grace

    def purge(self) -> None:
        """Let go of what is past its time."""
        now = time.monotonic()
        over = {job for job, until in self._ended.items() if until <= now}
        for token in [token for token, (job, _) in self._pictures.items() if job in over]:
            self._drop(token)
        for job in over:
            del self._ended[job]

    def _drop(self, token: str) -> None:
        _, picture = self._pictures.pop(token)
        self.size -= len(picture.data)
