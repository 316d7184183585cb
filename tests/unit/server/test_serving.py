"""What a server says of itself: in its note for clients, in its log, and where plugins' routes may lie."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import APIRouter

import ima2
from ima2.server.protocol import LOOKS, Protocol
from ima2.server.serving import address, advertised, other_server
from ima2.testing import EchoProvider, plugin


def runtime(tmp_path: Path, host: str = "127.0.0.1", port: int = 3400) -> Any:
    settings = SimpleNamespace(advertisement=tmp_path / "here" / "server.json", host=host, port=3333)
    return SimpleNamespace(settings=settings, port=port, started_at=5)


def test_a_server_is_told_of_as_long_as_it_listens(tmp_path: Path) -> None:
    own = runtime(tmp_path)
    note = own.settings.advertisement
    with advertised(own, {"backend": {"actualPort": 3400}}):
        told = json.loads(note.read_text())
        assert other_server(note) == f" at http://127.0.0.1:3400, process {os.getpid()}"
    assert told == {
        "port": 3400,
        "url": "http://127.0.0.1:3400",
        "pid": os.getpid(),
        "startedAt": 5,
        "version": told["version"],
        "backend": {"actualPort": 3400},
    }
    assert not note.exists()
    assert other_server(note) == ""


@pytest.mark.parametrize("text", ['{"pid": 1}', "{", "[]", ""])
def test_the_note_of_another_is_left_alone(tmp_path: Path, text: str) -> None:
    own = runtime(tmp_path)
    with advertised(own, {}):
        own.settings.advertisement.write_text(text)
    assert own.settings.advertisement.read_text() == text
    assert other_server(own.settings.advertisement) == ""


def test_a_note_that_cannot_be_written_does_not_stop_the_server(tmp_path: Path, caplog: Any) -> None:
    (tmp_path / "here").write_text("in the way")
    with advertised(runtime(tmp_path), {}):
        pass
    assert "server.json could not be written" in caplog.text


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("0.0.0.0", 3400, "http://localhost:3400"),
        ("::", 3400, "http://localhost:3400"),
        ("::1", 3400, "http://[::1]:3400"),
        ("studio.lan", 0, "http://studio.lan:3333"),
    ],
)
def test_the_address_is_one_that_a_browser_takes(tmp_path: Path, host: str, port: int, url: str) -> None:
    assert address(runtime(tmp_path, host, port)) == url


async def test_a_request_is_logged_with_its_status_its_time_and_who_asked(ima2_client: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO, "ima2.http")
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        headers = {"x-ima2-client": "cli/2.0.2 <b>" + "x" * 60}
        await client.get("/api/history?sessionId=private", headers=headers)
        await client.get("/api/nowhere%1b[31m")
        for quiet in ("/api/health", "/api/inflight", "/", "/generated/a.png"):
            await client.get(quiet)
    first, second = [record.getMessage() for record in caplog.records if record.name == "ima2.http"]
    name, status, took, who = first.rsplit(" ", 3)
    assert (name, status, who) == ("GET /api/history", "status=200", "client=cli/2.0.2??b?" + "x" * 27)
    assert 0 <= int(took.removeprefix("durationMs=")) < 10_000
    assert second.startswith("GET /api/nowhere?[31m status=404 ")
    assert second.endswith("client=ui")


async def test_a_route_may_lie_at_its_prefix_or_below_it_and_nowhere_else(ima2_client: Any) -> None:
    def routes(prefix: str, *paths: str) -> Any:
        router = APIRouter()
        for path in paths:
            router.add_api_route(path, lambda: {"ok": True}, methods=["GET"])
        return plugin(routes=lambda ctx: ima2.Routes(router, prefix) if prefix else router)

    plugins = {
        "at": routes("/v1", "", "/models"),
        "outside": routes("", "/models"),
        "own": routes("/generated", "/x"),
        "api": routes("", "/api/mine"),
        "taken": routes("", "/api/history"),
        "large": routes("/V2", "/x"),
    }
    async with ima2_client(echo=plugin(providers=[EchoProvider()]), **plugins) as client:
        found = {path: (await client.get(path)).status_code for path in ("/v1", "/v1/models", "/api/mine", "/models")}
        rows = {row["name"]: row for row in (await client.get("/api/plugins")).json()["plugins"]}
    assert found == {"/v1": 200, "/v1/models": 200, "/api/mine": 200, "/models": 404}
    failed = sorted(name for name in plugins if rows[name]["state"] == "failed")
    assert failed == ["large", "outside", "own", "taken"]


async def test_what_a_server_can_do_is_told_by_a_server(ima2_client: Any) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        told = (await client.get("/api/capabilities")).json()
    assert told["source"] == "server"


def test_a_reader_is_looked_at_so_often_before_it_is_given_up(monkeypatch: Any) -> None:
    made = Protocol.__new__(Protocol)
    later: list[tuple[Any, ...]] = []
    aborted: list[bool] = []
    made.transport = SimpleNamespace(abort=lambda: aborted.append(True))  # type: ignore[assignment]
    made.loop = SimpleNamespace(call_later=lambda *given: later.append(given))  # type: ignore[assignment]
    sizes = iter([100, 90, *[90] * (LOOKS + 1)])
    monkeypatch.setattr("ima2.server.protocol._waiting", lambda transport: next(sizes))
    made._look(next(sizes), LOOKS)
    looks = 1
    while not aborted:
        _, look, size, left = later[-1]
        look(size, left)
        looks += 1
    assert looks == LOOKS + 2
    assert [given[3] for given in later] == list(range(LOOKS, -1, -1))
