"""What several kinds of tests share: real servers, and the fakes of the upstreams."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[1]
IMA2 = Path(sys.executable).with_name("ima2")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """A real ``ima2 serve`` process over a folder of its own."""

    home: Path
    environ: Mapping[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=30)

    @property
    def generated(self) -> Path:
        """The gallery's folder."""
        return self.home / "generated"

    @property
    def log(self) -> str:
        """What the server printed so far."""
        return (self.home / "server.log").read_text()

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = (self.home / "server.log").open("ab")
        self.process = subprocess.Popen([str(IMA2), "serve"], env=dict(self.environ), stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if self.client.get("/api/health").status_code == 200:
                    return
            except httpx.TransportError:
                if self.process.poll() is not None:
                    break
            time.sleep(0.05)
        raise RuntimeError("the server did not start: " + self.log[-2000:])

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Stop it and return its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(20)


@pytest.fixture
def ima2_executable() -> Path:
    """The installed command."""
    return IMA2


Serve = Callable[..., Served]


def environment(home: Path, port: int, plugins: str, more: Mapping[str, str]) -> dict[str, str]:
    """What a server of the tests is started with: nothing of this machine's own settings."""
    own = ("IMA2_", "OPENAI", "XAI", "GEMINI", "VERTEX", "CODEX", "CHATGPT")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    given = {"IMA2_CONFIG_DIR": str(home), "IMA2_PORT": str(port), "IMA2_PLUGINS": plugins, "HOME": str(home)}
    return {**clean, **given, **more}


@contextmanager
def serving(home: Path, *, plugins: str, **more: str) -> Iterator[Served]:
    """A real server over a folder, for as long as it is needed."""
    port = free_port()
    served = Served(home, environment(home, port, plugins, more), port)
    served.start()
    try:
        yield served
    finally:
        served.client.close()
        if served.process is not None and served.process.poll() is None:
            served.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """``serve(NAME=value, …)`` starts a server with that environment over a fresh folder; all are stopped
    afterwards."""
    started = count()
    with ExitStack() as running:

        def start(
            *, plugins: str = "local_storage,pillow_thumbs,sse,demo", home: Path | None = None, **more: str
        ) -> Served:
            folder = home or tmp_path / f"home{next(started)}"
            folder.mkdir(exist_ok=True)
            return running.enter_context(serving(folder, plugins=plugins, **more))

        yield start


@pytest.fixture(autouse=True)
def unchanged_logging() -> Iterator[None]:
    """What a test sets of the process's logging (a command in this process does) ends with it."""
    root, own = logging.getLogger(), logging.getLogger("ima2")
    levels, disabled, handlers = (root.level, own.level), root.manager.disable, root.handlers[:]
    yield
    root.setLevel(levels[0])
    own.setLevel(levels[1])
    logging.disable(disabled)
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler and handler not in handlers:
            root.removeHandler(handler)
