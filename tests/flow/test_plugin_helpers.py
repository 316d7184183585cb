"""What features stand on besides hooks: ima2.web, ima2.command_context, ima2.open_studio, the list of names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import APIRouter, Request

import ima2
from ima2 import web
from ima2.network.http import Http
from ima2.testing import plugin


class Handle(ima2.JobHandle):
    """A job that tells what it is given."""

    id = "job-1"

    def __init__(self, *events: ima2.Event) -> None:
        self._events = events

    async def events(self) -> AsyncIterator[ima2.Event]:
        for event in self._events:
            yield event
        await asyncio.sleep(60)  # a reader that waits on after the end would hang

    async def result(self) -> ima2.JobResult:
        raise NotImplementedError

    async def cancel(self) -> bool:
        return False


def routes(ctx: ima2.PluginContext) -> APIRouter:
    router = APIRouter()

    @router.post("/api/echo/json")
    async def take_json(request: Request) -> web.Json:
        return web.Json({"body": dict(await web.read_json(request, 100)), "browser": web.browser_id(request)})

    @router.post("/api/echo/form")
    async def take_form(request: Request) -> web.Json:
        return web.Json(await web.read_form(request, 100))

    @router.get("/api/echo/events")
    async def events(request: Request) -> Any:
        small = ima2.Picture(b"abc", "image/png")
        told = [ima2.Event("partial", "job-1", {"image": small}), ima2.Event("done", "job-1", {"ok": True}, True)]
        return web.event_stream(Handle(*told))

    @router.get("/api/echo/problem")
    async def problem(request: Request) -> web.Json:
        return web.problem(ima2.Ima2Error("NO_ECHO", 404, "No echo.", retry_after=3))

    return router


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ({"json": {"a": 1}, "headers": {"x-ima2-browser-id": "b-1"}}, 200, {"body": {"a": 1}, "browser": "b-1"}),
        ({"headers": {"x-ima2-browser-id": "<script>"}}, 200, {"body": {}, "browser": ""}),
        ({"json": [1]}, 400, "INVALID_BODY"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "INVALID_JSON"),
        ({"json": {"a": "b" * 200}}, 413, "PAYLOAD_TOO_LARGE"),
        ({"content": b"a=1", "headers": {"content-type": "text/plain"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_a_body_is_read_within_its_limits(
    options: dict[str, Any], status: int, said: Any, ima2_client: Any
) -> None:
    async with ima2_client(echo=plugin(routes=routes)) as client:
        answer = await client.post("/api/echo/json", **options)
        assert answer.status_code == status
        assert said == (answer.json() if status == 200 else answer.json()["code"])


async def test_a_form_is_read(ima2_client: Any) -> None:
    async with ima2_client(echo=plugin(routes=routes)) as client:
        assert (await client.post("/api/echo/form", data={"a": "1", "b": "ü &"})).json() == {"a": "1", "b": "ü &"}
        assert (await client.post("/api/echo/form", json={})).status_code == 415


async def test_a_job_is_streamed_up_to_its_end_and_a_problem_is_json(ima2_client: Any) -> None:
    async with ima2_client(echo=plugin(routes=routes)) as client:
        async with asyncio.timeout(5):
            stream = await client.get("/api/echo/events")
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.text.split("\n\n")[:2] == [
            'event: partial\ndata: {"image":"data:image/png;base64,YWJj"}',
            'event: done\ndata: {"ok":true}',
        ]
        told = await client.get("/api/echo/problem")
        assert (told.status_code, told.json()["code"], told.headers["retry-after"]) == (404, "NO_ECHO", "3")


def test_a_command_gets_the_settings_of_its_plugin_and_boots_no_other(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMA2_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("IMA2_PLUGINS__SSE__BACKLOG", "")
    ctx = ima2.command_context("demo")
    assert (ctx.plugin, ctx.data_dir) == ("demo", tmp_path / "plugins" / "demo")
    assert isinstance(ctx.http, Http)
    with pytest.raises(ima2.Ima2Error, match="Did you mean demo"):
        ima2.command_context("dmo")


async def test_a_command_that_finds_no_server_says_so(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMA2_CONFIG_DIR", str(tmp_path))
    with pytest.raises(ima2.Ima2Error) as caught:
        async with ima2.command_context("demo").client("http://127.0.0.1:9"):
            pass
    assert caught.value.code == "SERVER_UNREACHABLE"


async def test_the_studio_opens_in_a_script(tmp_path: Any) -> None:
    environ = {"IMA2_CONFIG_DIR": str(tmp_path)}
    async with ima2.open_studio("demo,local_storage", environ=environ) as studio:
        assert studio.provider("demo").id == "demo"


def test_every_public_name_shows() -> None:
    assert set(ima2.__all__) <= set(dir(ima2))
