"""Each hook, from an inline plugin to its effect in a whole process."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, SecretStr
from sqlalchemy import Column, Integer, MetaData, Table, Text, text

import ima2
from ima2.kernel.boot import panels
from ima2.testing import EchoProvider, MemoryStorage, RecordingSink, picture, plugin

PROMPT = {"prompt": "a small boat", "provider": "echo", "requestId": "job-1"}


class Taste(BaseModel):
    warmth: int = ima2.setting(5, ge=0, le=10, env="TASTE_WARMTH", key="taste.warmth")
    api_key: SecretStr | None = ima2.setting(None, env="TASTE_KEY")


async def test_hook_ima2_settings(ima2_runtime: Any) -> None:
    """The model's values arrive validated, with where they came from."""
    seen: list[ima2.PluginContext] = []
    taste = plugin(settings=Taste, providers=lambda ctx: seen.append(ctx))
    async with ima2_runtime(environ={"TASTE_WARMTH": "7", "TASTE_KEY": "hush-hush"}, taste=taste):
        (ctx,) = seen
        assert ctx.settings.warmth == 7
        assert ctx.settings.api_key.get_secret_value() == "hush-hush"
        assert ctx.origins == {"warmth": "env", "api_key": "env"}


async def test_settings_that_cannot_be_used_fail_that_plugin_alone(ima2_runtime: Any) -> None:
    bad, good = plugin(settings=Taste, providers=[EchoProvider()]), plugin(event_sinks=[RecordingSink()])
    async with ima2_runtime(environ={"TASTE_WARMTH": "700"}, bad=bad, good=good) as runtime:
        assert runtime.registry.providers == {}
        assert "record" in runtime.registry.event_sinks
        record = runtime.booted.record("bad")
        assert record.stage == "settings"
        assert "warmth" in record.error
        assert "700" not in record.error


async def test_hook_ima2_tables(ima2_runtime: Any) -> None:
    """Tables are there before parts open, and are written and read through the context's database."""
    metadata = MetaData()
    Table("diary_notes", metadata, Column("id", Integer, primary_key=True), Column("text", Text))

    class Writer(RecordingSink):
        def __init__(self, ctx: ima2.PluginContext) -> None:
            super().__init__()
            self.database = ctx.database

        async def open(self) -> None:
            await self.database.write(
                lambda connection: connection.execute(text("INSERT INTO diary_notes (text) VALUES ('open')"))
            )

    diary = plugin(tables=ima2.Tables(metadata), event_sinks=lambda ctx: [Writer(ctx)])
    async with ima2_runtime(diary=diary) as runtime:
        rows = await runtime.database.read(
            lambda connection: connection.execute(text("SELECT text FROM diary_notes")).scalars().all()
        )
        assert rows == ["open"]


async def test_hook_ima2_providers(ima2_client: Any) -> None:
    """A provider of a plugin is listed, asked and its picture kept."""
    echo = EchoProvider()
    async with ima2_client(echo=plugin(providers=[echo])) as client:
        rows = (await client.get("/api/providers")).json()["providers"]
        assert [(row["id"], row["plugin"]) for row in rows] == [("echo", "echo")]
        answer = await client.post("/api/generate", json=PROMPT)
        assert answer.status_code == 200, answer.text
        assert [request.prompt for request in echo.asked] == ["a small boat"]
        assert (await client.get(answer.json()["url"])).content.startswith(b"\x89PNG")


async def test_hook_ima2_storages(ima2_client: Any) -> None:
    """The storage that the setting names is where pictures go, and where they are served from."""

    class Elsewhere(MemoryStorage):
        id = "elsewhere"

    class Unused(MemoryStorage):
        id = "unused"

    used, unused = Elsewhere(), Unused()
    places, echo = plugin(storages=[used, unused]), plugin(providers=[EchoProvider()])
    async with ima2_client(environ={"IMA2_STORAGE": "elsewhere"}, places=places, echo=echo) as client:
        made = (await client.post("/api/generate", json=PROMPT)).json()
        keys = [stored.key async for stored in used.list()]
        assert made["filename"] in keys
        assert [stored.key async for stored in unused.list()] == []
        assert (await client.get(made["url"])).status_code == 200


async def test_a_storage_that_nobody_offers_ends_the_start(ima2_runtime: Any) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        async with ima2_runtime(environ={"IMA2_STORAGE": "cellar"}):
            pass
    assert caught.value.code == "STORAGE_MISSING"
    assert "memory" in caught.value.text


async def test_hook_ima2_thumbnailers(ima2_client: Any) -> None:
    """Of two thumbnailers for a type the preferred one makes the thumbnails."""
    asked: list[str] = []

    class Quick(ima2.Thumbnailer):
        id = "quick"
        media_types = ("image/png",)
        preference = 1

        async def thumbnail(self, source: ima2.Picture | Path, width: int = 320) -> bytes:
            asked.append(self.id)
            return picture(width, 10, "image/jpeg").data

    class Better(Quick):
        id = "better"
        preference = 9

    small = plugin(thumbnailers=[Quick(), Better()])
    async with ima2_client(small=small, echo=plugin(providers=[EchoProvider()])) as client:
        await client.post("/api/generate", json=PROMPT)
        row = await _row_with_thumb(client)
        assert asked == ["better"]
        assert (await client.get(row["thumb"])).headers["content-type"] == "image/jpeg"


async def test_hook_ima2_event_sinks(ima2_client: Any) -> None:
    """A sink hears a job from its phase to its one end."""
    sink = RecordingSink()
    async with ima2_client(ear=plugin(event_sinks=[sink]), echo=plugin(providers=[EchoProvider()])) as client:
        await client.post("/api/generate", json={**PROMPT, "partials": 1})
        await _until(lambda: sink.named("done"))
        names = [event.name for event in sink.events if event.job_id == "job-1"]
        assert names[0] == "phase"
        assert names[-1] == "done"
        assert "partial" in names
        assert [event.terminal for event in sink.events].count(True) == 1


async def test_hook_ima2_routes(ima2_client: Any) -> None:
    """Routes below /api/ are served; a plugin with one that is taken, or that lies elsewhere, is out of use."""

    def offering(path: str) -> Any:
        router = APIRouter()
        router.add_api_route(path, lambda: {"hello": "you"})
        return plugin(routes=lambda ctx: router)

    plugins = {name: offering(path) for name, path in _PATHS.items()}
    async with ima2_client(**plugins) as client:
        assert (await client.get("/api/greeting")).json() == {"hello": "you"}
        assert (await client.get("/api/health")).json()["ok"] is True
        assert (await client.get("/elsewhere")).status_code == 404
        states = {row["name"]: row["state"] for row in (await client.get("/api/plugins")).json()["plugins"]}
        assert {name: states[name] for name in _PATHS} == {"good": "ready", "taken": "failed", "outside": "failed"}


_PATHS = {"good": "/api/greeting", "taken": "/api/health", "outside": "/elsewhere"}


async def test_hook_ima2_panels(ima2_runtime: Any) -> None:
    """Panels are told with the plugin that offers them; a wrong answer fails that plugin."""
    panel = ima2.Panel("greeting", "Greeting", "side", "/api/greeting/panel.js")
    async with ima2_runtime(page=plugin(panels=[panel]), wrong=plugin(panels=["no panel"])) as runtime:
        assert panels(runtime.booted) == [("page", panel)]
        assert runtime.booted.record("wrong").stage == "ima2_panels"


async def test_panels_are_listed_for_the_page(ima2_client: Any) -> None:
    panel = ima2.Panel("greeting", "Greeting", "side", "/api/greeting/panel.js")
    async with ima2_client(page=plugin(panels=[panel])) as client:
        listed = (await client.get("/api/panels")).json()["panels"]
    assert listed == [{"plugin": "page", "id": "greeting", "title": "Greeting", "slot": "side", "script": panel.script}]


async def test_hook_ima2_lifespan(ima2_runtime: Any) -> None:
    """The context manager surrounds the process's work, inside the opened parts."""
    told: list[str] = []

    class Sink(RecordingSink):
        async def open(self) -> None:
            told.append("part opened")

        async def close(self) -> None:
            told.append("part closed")

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        told.append("entered")
        yield
        told.append("left")

    async with ima2_runtime(keeper=plugin(event_sinks=[Sink()], lifespan=lambda ctx: lifespan())):
        assert told == ["part opened", "entered"]
    assert told[2:4] == ["left", "part closed"]


async def _row_with_thumb(client: Any) -> Any:
    rows: list[Any] = []

    async def look() -> bool:
        rows[:] = [row for row in (await client.get("/api/history")).json()["items"] if row["thumb"]]
        return bool(rows)

    await _until(look)
    return rows[0]


async def _until(condition: Any) -> None:
    """Wait, for at most five seconds, until something holds."""
    async with asyncio.timeout(5):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.02)
