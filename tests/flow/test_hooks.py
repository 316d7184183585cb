"""Each hook, from an inline plugin to its effect in a whole process."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, SecretStr
from sqlalchemy import Column, Integer, MetaData, Table, Text, text
from starlette.responses import PlainTextResponse

import ima2
from ima2.kernel.collect import panels
from ima2.server.app import create_app
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
        assert ctx.sources == {"warmth": "env", "api_key": "env"}
        with pytest.warns(DeprecationWarning, match=r"use ctx\.sources"):
            assert ctx.origins == ctx.sources


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


async def test_routes_below_a_prefix_may_answer_failures_in_their_own_shape(ima2_client: Any) -> None:
    router = APIRouter()

    @router.get("/things/{name}")
    async def thing(name: str) -> dict[str, str]:
        if name == "bug":
            raise RuntimeError("a secret prompt")
        raise ima2.Ima2Error("NO_THING", 404, "There is no such thing.")

    foreign = plugin(routes=lambda ctx: ima2.Routes(router, "/v1", lambda error: {"problem": {"type": error.code}}))
    async with ima2_client(foreign=foreign) as client:
        missing, bug, lost = [await client.get(f"/v1/{path}") for path in ("things/a", "things/bug", "nowhere")]
        assert (missing.status_code, missing.json()) == (404, {"problem": {"type": "NO_THING"}})
        assert (bug.status_code, bug.json()) == (500, {"problem": {"type": "INTERNAL_ERROR"}})
        assert (lost.status_code, lost.json()) == (404, {"problem": {"type": "NOT_FOUND"}})
        assert (await client.get("/api/nowhere")).json()["code"] == "NOT_FOUND"


async def _app(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("inside")(scope, receive, send)


def _mounting(path: str, prefix: str = "") -> Any:
    router = APIRouter()
    router.mount(path, _app)
    return plugin(routes=lambda ctx: ima2.Routes(router, prefix))


async def test_a_mounted_application_stays_below_its_prefix_and_behind_the_gate(ima2_client: Any) -> None:
    mounted = {
        "all": _mounting("/"),
        "below": _mounting("/api/mine"),
        "over": _mounting("/api/history"),
        "top": _mounting("/things", "/v2"),
        "ours": _mounting("/things", "/generated"),
    }
    async with ima2_client(**mounted) as client:
        rows = {row["name"]: row for row in (await client.get("/api/plugins")).json()["plugins"]}
        states = {name: rows[name]["state"] for name in mounted}
        assert states == {"all": "failed", "below": "ready", "over": "failed", "top": "ready", "ours": "failed"}
        assert (await client.get("/api/mine/x")).text == "inside"
        assert (await client.get("/v2/things/x")).text == "inside"
        assert (await client.get("/api/mine/x", headers={"host": "evil.example"})).status_code == 403


async def test_a_socket_of_a_plugin_is_behind_the_gate_too(ima2_runtime: Any) -> None:
    router = APIRouter()

    @router.websocket("/api/talk")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    async def answer(app: Any, headers: dict[str, str]) -> str:
        sent: list[Any] = []
        scope = {
            "type": "websocket",
            "path": "/api/talk",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "query_string": b"",
            "subprotocols": [],
        }

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await app(scope, receive, send)
        return str(sent[0])

    async with ima2_runtime(talk=plugin(routes=lambda ctx: router)) as runtime:
        app = create_app(runtime)
        assert await answer(app, {"host": "localhost"}) == "websocket.accept"
        assert await answer(app, {"host": "evil.example"}) == "websocket.close"
        assert await answer(app, {"host": "localhost", "origin": "https://evil.example"}) == "websocket.close"


async def test_hook_ima2_site(ima2_client: Any, tmp_path: Path) -> None:
    """A folder of files is served at its path, and at / in place of ima2's own page."""
    (tmp_path / "index.html").write_text("<p>mine</p>")
    (tmp_path / "app.js").write_text("1")
    site = plugin(site=lambda ctx: ima2.Site(tmp_path))
    below = plugin(site=lambda ctx: ima2.Site(tmp_path, "/docs"))
    async with ima2_client(site=site, below=below) as client:
        assert (await client.get("/")).text == "<p>mine</p>"
        assert (await client.get("/docs/app.js")).text == "1"
        assert (await client.get("/docs/../secret")).status_code == 404
        assert (await client.get("/api/health")).json()["ok"] is True
    async with ima2_client() as client:
        assert "<p>mine</p>" not in (await client.get("/")).text


async def test_hook_ima2_capabilities(ima2_client: Any) -> None:
    """A plugin's block is told with the rest."""
    brought = plugin(capabilities=lambda ctx: {"greeting": {"available": True}})
    async with ima2_client(brought=brought) as client:
        told = (await client.get("/api/capabilities")).json()
        assert told["greeting"] == {"available": True}
        assert told["name"] == "ima2"


async def test_hook_ima2_policies(ima2_runtime: Any) -> None:
    """A policy is opened with the other parts and stands ready for the studio."""

    class Careful(ima2.Policy):
        id = "careful"

        def __init__(self) -> None:
            self.opened = False

        async def open(self) -> None:
            self.opened = True

    careful = Careful()
    async with ima2_runtime(rules=plugin(policies=[careful])) as runtime:
        assert runtime.registry.policies == {"careful": careful}
        assert careful.opened
        assert runtime.booted.record("rules").offers == ["policy:careful"]


async def test_hook_ima2_library_facets(ima2_runtime: Any) -> None:
    """What a plugin joins to the gallery is known to the library, by plugin."""
    table = Table("stars_given", MetaData(), Column("picture", Text, primary_key=True))
    facet = ima2.Facet(table.c.picture, filters={"starred": None})
    async with ima2_runtime(stars=plugin(tables=ima2.Tables(table.metadata), library_facets=[facet])) as runtime:
        assert runtime.registry.facets == [("stars", facet)]


async def test_hook_ima2_tools(ima2_runtime: Any) -> None:
    """A tool runs with its arguments; one that spends wants consent; a name is given once."""

    async def double(arguments: Any) -> Any:
        return {"twice": arguments["number"] * 2}

    free, paid = (ima2.Tool(name, "Doubles.", {"type": "object"}, double, name == "paid") for name in ("free", "paid"))
    async with ima2_runtime(maths=plugin(tools=[free, paid]), more=plugin(tools=[free])) as runtime:
        assert list(runtime.registry.tools) == ["free", "paid"]
        assert runtime.booted.record("more").stage == "ima2_tools"
        assert await free.run({"number": 4}) == {"twice": 8}
        with pytest.raises(ima2.Ima2Error) as caught:
            await paid.run({"number": 4})
        assert caught.value.code == "CONSENT_REQUIRED"
        assert await paid.run({"number": 4}, consent=True) == {"twice": 8}


async def test_a_table_of_the_kernel_cannot_be_claimed_or_changed(ima2_runtime: Any) -> None:
    def owning(name: str, *statements: str) -> Any:
        metadata = MetaData()
        Table(name, metadata, Column("id", Integer, primary_key=True))
        return plugin(tables=ima2.Tables(metadata, [ima2.Migration(1, statements)] if statements else []))

    thieves = {
        "claims": owning("ima2_jobs"),
        "drops": owning("drops_x", "DROP TABLE ima2_jobs"),
        "new": owning("new_x"),
    }
    async with ima2_runtime(**thieves) as runtime:
        assert [runtime.booted.record(name).stage for name in thieves] == ["ima2_tables", "ima2_tables", None]
        assert "belongs to the kernel" in runtime.booted.record("drops").error


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


@pytest.mark.parametrize("newer", [False, True])
async def test_a_migration_that_fails_puts_its_plugin_out_after_a_copy_of_the_file(
    newer: bool, ima2_runtime: Any, tmp_path: Path
) -> None:
    def diary(*steps: str) -> Any:
        metadata = MetaData()
        Table("diary_notes", metadata, Column("id", Integer, primary_key=True))
        numbered = [ima2.Migration(number, [step]) for number, step in enumerate(steps, 1)]
        return plugin(tables=ima2.Tables(metadata, numbered), event_sinks=[RecordingSink()])

    first, second = "ALTER TABLE diary_notes ADD COLUMN a TEXT", "ALTER TABLE nowhere ADD COLUMN b TEXT"
    async with ima2_runtime(diary=diary(*((first, first) if newer else (first,)))) as runtime:
        assert runtime.booted.record("diary").state == "ready"
    echo = plugin(providers=[EchoProvider()])
    async with ima2_runtime(diary=diary(*((first,) if newer else (first, second))), echo=echo) as runtime:
        record = runtime.booted.record("diary")
        assert (record.state, record.stage) == ("failed", "ima2_tables")
        assert runtime.registry.event_sinks == {}
        assert "echo" in runtime.registry.providers
    copies = [path.name for path in (tmp_path / "home").glob("sessions.db.before-*")]
    assert copies == ([] if newer else ["sessions.db.before-diary-2"])
