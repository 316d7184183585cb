"""A client that follows the event stream across restarts, by the number of the last event it saw."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

import httpx


class Reader:
    """Reads ``GET /api/events`` in a thread, comes back after each break, and counts the ends of each job."""

    def __init__(self, base_url: str) -> None:
        self.ends: Counter[str] = Counter()
        self.codes: dict[str, str] = {}
        self.gaps = 0
        self._base_url = base_url
        self._cursor = "0"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read no further."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        with httpx.Client(base_url=self._base_url, trust_env=False, timeout=httpx.Timeout(5, read=1.0)) as client:
            while not self._stop.is_set():
                try:
                    with client.stream(
                        "GET", "/api/events?images=url", headers={"last-event-id": self._cursor}
                    ) as answer:
                        self._read(answer)
                except httpx.TransportError:
                    self._stop.wait(0.05)

    def _read(self, answer: httpx.Response) -> None:
        event: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
                continue
            if "event" in event:
                self._hear(event)
            event = {}
            if self._stop.is_set():
                return

    def _hear(self, event: dict[str, str]) -> None:
        if event["event"] == "replay-gap":
            self.gaps += 1
        self._cursor = event.get("id", self._cursor)
        if event["event"] in ("done", "error"):
            data: dict[str, Any] = json.loads(event["data"])
            self.ends[data["jobId"]] += 1
            self.codes[data["jobId"]] = data.get("code", "")
