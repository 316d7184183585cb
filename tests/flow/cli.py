"""The real ``ima2`` in a folder of its own, and looking at what it did."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Cli:
    """Runs ``ima2`` in a folder of its own."""

    def __init__(self, executable: Path, environ: Mapping[str, str], folder: Path) -> None:
        self.executable, self.environ, self.folder = executable, dict(environ), folder
        self.started: list[subprocess.Popen[str]] = []

    def __call__(self, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.executable), *args],
            env={**self.environ, **environ},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def start(self, *args: str, **more: Any) -> subprocess.Popen[str]:
        more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        process = subprocess.Popen([str(self.executable), *args], env=self.environ, cwd=self.folder, text=True, **more)
        self.started.append(process)
        return process


def running(served: Any) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = served.client.get("/api/inflight").json()["jobs"]
    return jobs


def until(check: Any, seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def document(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.stdout.count("\n") == 1, done
    return json.loads(done.stdout)
