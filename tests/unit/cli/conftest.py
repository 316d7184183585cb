"""The command line run in this process, in a folder of its own."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.stub import Asked, Handler, QuietServer, Stub, data_url, event, png

from ima2.cli import run


@dataclass(frozen=True)
class Answer:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder."""
    monkeypatch.setenv("IMA2_CONFIG_DIR", str(tmp_path / "home"))
    for name in ("IMA2_PLUGINS", "IMA2_PORT", "PORT", "IMA2_LOG_LEVEL", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def ima2(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``ima2`` with these arguments."""

    def call(*args: str) -> Answer:
        capsys.readouterr()
        code = run(args)
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return call


@pytest.fixture
def alone(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No server but the test's own can be found, and files land in the test's folder."""
    for name in ("IMA2_SERVER", "IMA2_ADVERTISE_FILE", "IMA2_LAN_TOKEN", "IMA2_GENERATED_DIR", "IMA2_DB_PATH"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("IMA2_PORT", str(taken.getsockname()[1]))
    monkeypatch.setenv("IMA2_PLUGINS", "local_storage")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bare_stub(alone: None) -> Iterator[Stub]:
    """A server that nobody has been told of."""

    class Own(Handler):
        pass

    server = QuietServer(("127.0.0.1", 0), Own)
    server.daemon_threads = True
    Own.stub = Stub(f"http://127.0.0.1:{server.server_address[1]}")
    Own.stub.on("GET /api/health", {"ok": True, "version": "9", "provider": "oauth", "uptimeSec": 5, "activeJobs": 0})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield Own.stub
    Own.stub.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def stub(bare_stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """A server that ``IMA2_SERVER`` names, which makes as many pictures as it is asked for."""
    monkeypatch.setenv("IMA2_SERVER", bare_stub.url)

    def generate(asked: Asked) -> tuple[int, Any]:
        count = asked.body["n"]
        rows = [{"image": data_url(png(index)), "filename": f"made_{index}.png"} for index in range(count)]
        head = rows[0] if count == 1 else {"images": rows}
        return 200, {**head, "elapsed": 1.5, "requestId": asked.body["requestId"]}

    bare_stub.on("POST /api/generate", generate)
    return bare_stub


@pytest.fixture
def pixel() -> Callable[[int], bytes]:
    """PNG files that differ by a number."""
    return png


@pytest.fixture
def told(stub: Stub) -> Callable[..., None]:
    """``told("POST /path", ("name", {…}), …)`` has a route answer with a stream of these events; ``None`` breaks it."""

    def tell(route: str, *events: tuple[str, dict[str, Any]] | bytes | None) -> None:
        pieces = [one if one is None or isinstance(one, bytes) else event(one[0], **one[1]) for one in events]
        stub.on(route, lambda _: (200, iter(pieces)))

    return tell


@pytest.fixture
def picture(pixel: Callable[[int], bytes]) -> Callable[[int], dict[str, Any]]:
    """A picture as answers and events hold it."""
    return lambda shade: {"image": data_url(pixel(shade)), "filename": f"made_{shade}.png"}
