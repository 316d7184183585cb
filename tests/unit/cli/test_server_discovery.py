"""Which server a command finds."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from ima2.cli.server_discovery import candidates

pytestmark = pytest.mark.usefixtures("alone")


def advertise(home: Path, **note: Any) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "server.json").write_text(json.dumps(note))


@pytest.fixture
def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_the_order_is_variable_then_advertisement_then_port(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMA2_SERVER", "http://one/")
    monkeypatch.setenv("IMA2_PORT", "5")
    advertise(home, backend={"url": "http://two"}, url="http://three/", port=4)
    assert [one.url for one in candidates()] == [
        "http://one",
        "http://two",
        "http://three",
        "http://localhost:4",
        "http://localhost:5",
    ]
    advertise(home, backend={"url": "http://one"}, url="http://one/", port=5)
    monkeypatch.setenv("IMA2_SERVER", "")
    assert [one.url for one in candidates()] == ["http://one", "http://localhost:5"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"backend": 3, "url": 4, "port": true}'])
def test_a_broken_advertisement_is_passed_over(home: Path, text: str) -> None:
    home.mkdir(parents=True)
    (home / "server.json").write_text(text)
    assert [one.url for one in candidates()] == [f"http://localhost:{os.environ['IMA2_PORT']}"]


def test_the_advertisement_may_be_elsewhere(home: Path, tmp_path: Path, ima2: Any, bare_stub: Any) -> None:
    home.mkdir(parents=True)
    (home / "config.json").write_text(json.dumps({"storage": {"advertiseFile": str(tmp_path / "ad.json")}}))
    (tmp_path / "ad.json").write_text(json.dumps({"url": bare_stub.url}))
    assert ima2("ping", "--json").json["base"] == bare_stub.url


def test_a_named_server_is_the_only_one_asked(ima2: Any, stub: Any, nobody: str) -> None:
    answer = ima2("ps", "--server", nobody, "--json")
    assert answer.code == 3
    assert (answer.json["ok"], answer.json["code"]) == (False, "SERVER_UNREACHABLE")
    assert "Hint:" in answer.err
    assert "ima2 serve" in answer.err
    assert "--server" in answer.err
    assert stub.requests == []


def test_an_unreachable_server_is_one_document_and_a_hint(ima2: Any) -> None:
    answer = ima2("gen", "x", "--json", "--server", "http://127.0.0.1:1")
    assert answer.code == 3
    assert answer.json["ok"] is False
    assert answer.json["code"] == "SERVER_UNREACHABLE"
    assert "Hint:" in answer.err
    assert "ima2 serve" in answer.err


def test_an_address_without_a_scheme_is_told_so(ima2: Any) -> None:
    answer = ima2("ping", "--server", "127.0.0.1:3333")
    assert answer.code == 3
    assert "http://" in answer.err


def test_a_slash_at_the_end_does_not_matter(ima2: Any, bare_stub: Any) -> None:
    assert ima2("ping", "--json", "--server", f"{bare_stub.url}/").json["base"] == bare_stub.url


def test_a_stale_advertisement_falls_through_and_says_so(ima2: Any, home: Path, bare_stub: Any, nobody: str) -> None:
    advertise(home, backend={"url": nobody}, url=bare_stub.url)
    answer = ima2("ping", "--json")
    assert answer.json["base"] == bare_stub.url
    assert f"{nobody} (server.json) did not answer; using {bare_stub.url}" in answer.err


def test_a_dead_variable_falls_through_and_says_so(
    ima2: Any, home: Path, bare_stub: Any, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMA2_SERVER", nobody)
    advertise(home, url=bare_stub.url)
    answer = ima2("ping", "--json")
    assert answer.json["base"] == bare_stub.url
    assert "IMA2_SERVER" in answer.err


def test_a_dead_variable_with_nothing_else_is_unreachable_even_for_gen(
    ima2: Any, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMA2_SERVER", nobody)
    answer = ima2("gen", "x", "--json")
    assert (answer.code, answer.json["code"]) == (3, "SERVER_UNREACHABLE")


def test_something_that_is_no_ima2_is_passed_over(ima2: Any, home: Path, bare_stub: Any) -> None:
    bare_stub.on("GET /api/health", b"hello")
    advertise(home, url=bare_stub.url)
    assert ima2("ping").code == 3


def test_localhost_is_found_in_either_address_family(ima2: Any, bare_stub: Any) -> None:
    port = bare_stub.url.rpartition(":")[2]
    assert ima2("ping", "--server", f"http://localhost:{port}").code == 0


def test_a_server_that_wants_its_token_is_told_from_one_that_is_not_there(
    ima2: Any, bare_stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def health(asked: Any) -> Any:
        if asked.headers.get("authorization") == "Bearer key of the runtime":
            return 200, {"ok": True}
        return 401, {"error": "send the token", "code": "TOKEN_REQUIRED"}

    bare_stub.on("GET /api/health", health)
    refused = ima2("ping", "--server", bare_stub.url, "--json")
    assert (refused.code, refused.json["code"]) == (5, "TOKEN_REQUIRED")
    monkeypatch.setenv("IMA2_LAN_TOKEN", "key of the runtime")
    assert ima2("ping", "--server", bare_stub.url).code == 0


def test_proxies_of_the_environment_are_left_aside(
    ima2: Any, bare_stub: Any, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nobody)
    assert ima2("ping", "--server", bare_stub.url).code == 0


def test_an_answer_that_takes_too_long_is_no_server(ima2: Any, bare_stub: Any) -> None:
    bare_stub.on("GET /api/health", lambda _: (bare_stub.closing.wait(3), (200, {"ok": True}))[1])
    assert ima2("ping", "--server", bare_stub.url).code == 3
