"""The OpenAPI document is complete, and no request made from it, right or wrong, makes the server fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from tests.conftest import Served, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(
        tmp_path_factory.mktemp("openapi"), plugins="local_storage,pillow_thumbs,sse,demo,graph,canvas,comfy"
    ) as served:
        yield served


@pytest.fixture(scope="module")
def document(server: Served) -> Any:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/api/openapi.json")


QUIET = settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def test_no_request_from_the_document_is_a_server_error(document: Any) -> None:
    tried = []
    for found in document.get_all_operations():
        operation = found.ok()
        if operation.path == "/api/events":
            continue  # an open stream: its answer does not end
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            ask(operation, mode)
        tried.append(operation.path)
    assert "/api/generate" in tried


def ask(operation: Any, mode: GenerationMode) -> None:
    """Send what the document allows, or what it does not, and look at the status."""

    @QUIET
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.headers = {**(case.headers or {}), "Host": "localhost"}
        if isinstance(case.body, dict) and isinstance(case.body.get("prompt"), str):
            case.body = {**case.body, "provider": "demo", "size": "64x64", "n": 1, "maxImages": 1, "async": False}
        answer = case.call(timeout=30)
        assert answer.status_code < 500 or answer.status_code == 501, f"{case.method} {case.path}: {answer.text[:300]}"

    try:
        check()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "a route without parameters has nothing wrong to send"


def test_every_route_says_what_it_does(server: Served) -> None:
    paths = server.client.get("/api/openapi.json").json()["paths"]
    assert {"/api/generate", "/api/inflight", "/api/history", "/api/events", "/generated/{key}"} <= set(paths)
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation.get("summary"), f"{method} {path} has no summary"
            good = (operation["responses"].get("200") or operation["responses"]["201"]).get("content", {})
            assert any("example" in one or not kind.endswith("json") for kind, one in good.items()), f"{method} {path}"
    body = paths["/api/generate"]["post"]["requestBody"]["content"]["application/json"]
    assert body["examples"]
    assert set(body["schema"]["properties"]) >= {"prompt", "provider", "n", "references", "async", "options"}


def test_the_log_of_all_that_shows_no_crash(server: Served) -> None:
    assert "Traceback" not in server.log
    assert "crashed" not in server.log
    assert Path(server.home, "sessions.db").exists()
