"""Whatever is wrong with a request: a 4xx with a code, and nothing left behind."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

import ima2
from ima2.testing import EchoProvider, picture, plugin

GOOD = {"prompt": "a kite", "provider": "echo"}
PNG = base64.b64encode(picture().data).decode()

WRONG = [
    ({"provider": "nobody"}, 400, "UNKNOWN_PROVIDER"),
    ({"provider": 7}, 400, "UNKNOWN_PROVIDER"),
    ({"provider": "../echo"}, 400, "UNKNOWN_PROVIDER"),
    ({"model": "gpt-9"}, 400, "ECHO_MODEL_INVALID"),
    ({"prompt": None}, 400, "PROMPT_REQUIRED"),
    ({"prompt": "  \n "}, 400, "PROMPT_REQUIRED"),
    ({"prompt": 7}, 400, "INVALID_PROMPT"),
    ({"prompt": ["a"]}, 400, "INVALID_PROMPT"),
    ({"prompt": "a\x00b"}, 400, "INVALID_PROMPT"),
    ({"prompt": "a\x1b[31mb"}, 400, "INVALID_PROMPT"),
    ({"prompt": "a" * 32_001}, 400, "PROMPT_TOO_LONG"),
    ({"moderation": "none"}, 400, "INVALID_MODERATION"),
    ({"moderation": 3}, 400, "INVALID_MODERATION"),
    ({"size": "big"}, 400, "INVALID_SIZE"),
    ({"size": "1024x"}, 400, "INVALID_SIZE"),
    ({"size": "99999x10"}, 400, "INVALID_SIZE"),
    ({"size": "../../x"}, 400, "INVALID_SIZE"),
    ({"references": "x"}, 400, "REF_NOT_ARRAY"),
    ({"references": {"0": PNG}}, 400, "REF_NOT_ARRAY"),
    ({"references": [PNG] * 6}, 400, "REF_TOO_MANY"),
    ({"references": [5]}, 400, "REF_NOT_STRING"),
    ({"references": [""]}, 400, "REF_EMPTY"),
    ({"references": ["data:image/png;base64,"]}, 400, "REF_EMPTY"),
    ({"references": ["not*base64"]}, 400, "REF_NOT_BASE64"),
    ({"references": [PNG + "\n"]}, 400, "REF_NOT_BASE64"),
    ({"references": [base64.b64encode(b"GIF89a" * 40).decode()]}, 400, "REF_NOT_IMAGE"),
    ({"references": ["A" * 7_340_036]}, 400, "REF_TOO_LARGE"),
    ({"requestId": "../../etc/passwd"}, 400, "INVALID_REQUEST_ID"),
    ({"requestId": 7}, 400, "INVALID_REQUEST_ID"),
    ({"requestId": "x" * 129}, 400, "INVALID_REQUEST_ID"),
    ({"requestId": "a\nb"}, 400, "INVALID_REQUEST_ID"),
    ({"sessionId": 7}, 400, "INVALID_SESSION_ID"),
    ({"sessionId": "s" * 200}, 400, "INVALID_SESSION_ID"),
    ({"clientNodeId": ["x"]}, 400, "INVALID_NODE_ID"),
    ({"composerPrompt": 7}, 400, "INVALID_COMPOSER"),
    ({"partials": 9}, 400, "INVALID_PARTIALS"),
    ({"partials": "two"}, 400, "INVALID_PARTIALS"),
    ({"options": [1]}, 400, "INVALID_OPTIONS"),
    ({"options": {"warp": 9}}, 400, "UNKNOWN_OPTION"),
]


@pytest.mark.parametrize(("wrong", "status", "code"), WRONG, ids=lambda value: str(value)[:40])
async def test_a_wrong_field_is_named_by_a_code_and_leaves_nothing(
    ima2_client: Any, wrong: dict[str, Any], status: int, code: str
) -> None:
    echo = EchoProvider()
    async with ima2_client(echo=plugin(providers=[echo])) as client:
        answer = await client.post("/api/generate", json={**GOOD, **wrong})
        left = (await client.get("/api/inflight?includeTerminal=1")).json()
        rows = (await client.get("/api/history")).json()["items"]
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert isinstance(answer.json()["error"], str)
    assert left == {"jobs": [], "terminalJobs": []}
    assert rows == []
    assert echo.asked == []


BODIES = [
    (b"{", "application/json", 400, "INVALID_JSON"),
    (b'{"prompt": "a", }', "application/json", 400, "INVALID_JSON"),
    (b'{"prompt": NaN}', "application/json", 400, "INVALID_JSON"),
    (b'{"prompt": "\xff"}', "application/json", 400, "INVALID_JSON"),
    (b'["prompt"]', "application/json", 400, "INVALID_BODY"),
    (b'"prompt"', "application/json", 400, "INVALID_BODY"),
    (b"", "application/json", 400, "INVALID_BODY"),
    (b'{"prompt": "a"}', "text/plain", 400, "INVALID_BODY"),
    (b"prompt=a", "application/x-www-form-urlencoded", 400, "INVALID_BODY"),
]


@pytest.mark.parametrize(("raw", "kind", "status", "code"), BODIES)
async def test_a_malformed_body_is_json_with_a_code(
    ima2_client: Any, raw: bytes, kind: str, status: int, code: str
) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        answer = await client.post("/api/generate", content=raw, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"].startswith("application/json")


async def test_a_body_over_the_limit_is_refused_before_it_is_read(ima2_client: Any) -> None:
    environ = {"IMA2_BODY_LIMIT": "10kb"}
    async with ima2_client(echo=plugin(providers=[EchoProvider()]), environ=environ) as client:
        answer = await client.post("/api/generate", json={**GOOD, "prompt": "a" * 20_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "path",
    [
        "/generated/..%2f..%2fsessions.db",
        "/generated/%2e%2e/config.json",
        "/generated//etc/passwd",
        "/generated/.trash/a.png",
        "/generated/a.png%00.png",
        "/generated/nothing.png",
        "/generated/",
        "/generated/a.txt",
        "/assets/../app.py",
        "/assets/nothing.js",
        "/api/nothing",
        "/api/inflight/%ff",
        "/api/%",
    ],
)
async def test_no_trick_with_a_path_reaches_a_file(ima2_client: Any, path: str) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        answer = await client.get(path)
    assert answer.status_code in {400, 404, 405}
    assert "SQLite" not in answer.text


@pytest.mark.parametrize("suffix", [".json", ".JSON", "%2ejson", "%2Ejson"])
async def test_sidecars_stay_private_however_they_are_spelled(ima2_client: Any, suffix: str) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        name = (await client.post("/api/generate", json=GOOD)).json()["filename"]
        answer = await client.get(f"/generated/{name}{suffix}")
    assert (answer.status_code, answer.text) == (404, "Generated metadata is not public")


@pytest.mark.parametrize("query", ["limit=x", "limit=-5", "limit=9e9", "before=abc", "since=1e5", "limit=1&limit=2"])
async def test_a_page_that_makes_no_sense_is_the_default_page(ima2_client: Any, query: str) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        answer = await client.get(f"/api/history?{query}")
    assert answer.status_code == 200
    assert answer.json()["items"] == []


async def test_a_body_cut_short_leaves_nothing(serve: Any) -> None:
    import socket

    served = serve()
    with socket.create_connection(("127.0.0.1", served.port)) as half:
        head = "POST /api/generate HTTP/1.1\r\nHost: localhost\r\n"
        head += "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n"
        half.sendall(head.encode() + b'{"prompt": "a')
    assert served.client.get("/api/inflight?includeTerminal=1").json() == {"jobs": [], "terminalJobs": []}
    assert "Traceback" not in served.log


async def test_a_model_that_takes_more_pictures_than_its_siblings_gets_them(ima2_client: Any) -> None:
    class Generous(EchoProvider):
        capabilities = replace(
            EchoProvider.capabilities, models=(ima2.Model("echo-1"), ima2.Model("echo-14", max_references=14))
        )

    echo = Generous()
    async with ima2_client(echo=plugin(providers=[echo])) as client:
        for model, count, status in (("echo-14", 14, 200), ("echo-14", 15, 400), ("echo-1", 6, 400)):
            body = {**GOOD, "model": model, "references": [PNG] * count}
            answer = await client.post("/api/generate", json=body)
            assert (answer.status_code, answer.json().get("code")) == (
                status,
                None if status == 200 else "REF_TOO_MANY",
            )
    assert [len(asked.references) for asked in echo.asked] == [14]
