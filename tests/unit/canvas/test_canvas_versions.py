"""Canvas versions: what they say of themselves, and that changing one keeps what was known of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import ima2_plugins.canvas
from ima2.testing import picture

PNG = {"Content-Type": "image/png"}


@pytest.fixture
async def client(ima2_client: Any) -> AsyncIterator[Any]:
    async with ima2_client(canvas=ima2_plugins.canvas) as client:
        yield client


async def create(client: httpx.AsyncClient, source: str = "a.png", **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/api/canvas-versions?sourceFilename={source}"
    answer = await client.post(path, content=picture(color="red").data, headers={**PNG, **named})
    item: dict[str, Any] = answer.json()["item"]
    return item


async def test_words_and_session_come_from_the_picture_below(client: Any) -> None:
    facts = {"prompt": "sent words", "user_prompt": "my words", "prompt_mode": "auto", "session_id": "s_1"}
    await client.runtime.library.add(picture(), facts, name="a")
    item = await create(client)
    assert (item["prompt"], item["userPrompt"], item["promptMode"]) == ("my words", "my words", "auto")
    assert item["filename"].startswith("canvas-a-")
    assert (await client.runtime.library.get(item["filename"])).session_id == "s_1"


async def test_changing_one_keeps_source_words_and_age_and_serves_the_new_bytes(client: Any) -> None:
    before = await create(client, X_Ima2_Canvas_Prompt="first")
    path = f"/api/canvas-versions/{before['filename']}"
    after = (await client.put(path, content=picture(color="blue").data, headers=PNG)).json()["item"]
    kept = ("canvasSourceFilename", "prompt", "createdAt", "filename", "canvasEditableFilename")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["canvasMergedAt"] >= before["canvasMergedAt"]
    served = await client.get(before["url"])
    assert served.headers["cache-control"] == "no-cache"
    assert served.content == await client.runtime.library.read(before["filename"])
    row = (await client.get("/api/history?limit=1")).json()["items"][0]
    assert (row["canvasVersion"], row["canvasSourceFilename"], row["userPrompt"]) == (True, "a.png", "first")


@pytest.mark.parametrize(
    ("header", "prompt"), [("gr%C3%BCn", "grün"), ("50% grey", "50% grey"), ("%ff", "%ff"), ("grün".encode(), "grün")]
)
async def test_words_in_headers_are_read_as_they_were_meant(client: Any, header: Any, prompt: str) -> None:
    headers = {**PNG, "X-Ima2-Canvas-Prompt": header, "X-Ima2-Canvas-Source-Filename": "my%20poster.png"}
    answer = await client.post("/api/canvas-versions", content=picture().data, headers=headers)
    item = answer.json()["item"]
    assert (item["prompt"], item["canvasSourceFilename"]) == (prompt, "my poster.png")


@pytest.mark.parametrize("source", ["../../etc/passwd", "%2Fetc%2Fpasswd", "a%5Cb.png", "a%00.png", ".hidden.png"])
async def test_a_source_that_leads_away_is_refused(client: httpx.AsyncClient, source: str) -> None:
    path = f"/api/canvas-versions?sourceFilename={source}"
    answer = await client.post(path, content=picture().data, headers=PNG)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_CANVAS_SOURCE")


@pytest.mark.parametrize("name", ["..%2Fcanvas-a.png", "canvas-..png", "a.png", "canvas-a.jpg", "set%2Fcanvas-a.png"])
async def test_only_versions_are_changed(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.put(f"/api/canvas-versions/{name}", content=picture().data, headers=PNG)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_CANVAS_VERSION_FILENAME")


async def test_one_that_is_gone_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.put("/api/canvas-versions/canvas-a-1.png", content=picture().data, headers=PNG)
    assert (answer.status_code, answer.json()["code"]) == (404, "CANVAS_VERSION_NOT_FOUND")


@pytest.mark.parametrize("data", [b"no picture", picture().data[:60], picture(media_type="image/webp").data])
async def test_what_is_no_whole_png_is_refused_and_nothing_is_kept(client: Any, data: bytes) -> None:
    answer = await client.post("/api/canvas-versions?sourceFilename=a.png", content=data, headers=PNG)
    assert (answer.status_code, answer.json()["code"]) == (400, "CANVAS_VERSION_NOT_PNG")
    assert (await client.get("/api/history")).json()["items"] == []
