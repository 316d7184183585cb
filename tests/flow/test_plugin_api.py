"""3.x only adds: a plugin in the shape of 3.0 works on, and is told what takes the place of what goes."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.flow.test_hooks import _until
from tests.upstreams.world import World, base64_picture, running

import ima2
from ima2.deprecation import deprecated

SOURCE = Path(__file__).parents[1] / "fixtures" / "plugin_of_3_0.txt"
NAMES_OF_3_0 = """
API_VERSION VERSION Artifact Capabilities Event EventSink Failed Ima2Error ImageRequest Job Json Link
Migration Model Notice Option Panel Part Partial Phase Picture PluginContext Price Progress Provider
ProviderStatus Quota QuotaWindow Receipt Sizes Source Sql Storage Stored Tables TextRequest TextResult
Thumbnailer Update Usage VideoModes VideoRequest canceled flat_picture hookimpl is_key media_type_of merged
open_picture private_folder safe_label setting size_of sweep upright_picture write_whole
""".split()
"""What `import ima2` gave in 3.0."""


def old_plugin() -> ModuleType:
    module = ModuleType("plugin_of_3_0")
    exec(compile(SOURCE.read_text(), SOURCE, "exec", dont_inherit=True), module.__dict__)
    return module


@pytest.mark.filterwarnings("default::DeprecationWarning")
async def test_a_plugin_of_3_0_works_on(ima2_client: Any) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        async with ima2_client(environ={"OLD_API_KEY": "k"}, old=old_plugin()) as client:
            record = client.runtime.booted.record("old")
            assert (record.state, record.error) == ("ready", None)
            assert client.runtime.registry.providers["plain"].origins == {"api_key": "env"}
            answer = await client.post("/api/generate", json={"prompt": "sea", "provider": "plain"})
            assert answer.status_code == 200, answer.text
            greeting = (await client.get("/api/greeting")).json()
            assert greeting == {"hello": "old", "folder": "old", "warmth": 5}
            assert [row["id"] for row in (await client.get("/api/panels")).json()["panels"]] == ["greeting"]
            await _until(lambda: client.runtime.registry.event_sinks["counter"].ended == 1)
            rows = await client.runtime.database.read(
                lambda connection: connection.exec_driver_sql("SELECT text FROM old_notes").scalars().all()
            )
            assert rows == ["here"]
    said = [str(one.message) for one in told if one.category is DeprecationWarning and "ima2 3.2" in str(one.message)]
    assert {text.partition(" is deprecated")[0] for text in said} == {"ctx.origins", "ctx.publish"}


async def test_the_provider_with_a_key_that_the_page_shows_works(ima2_client: Any) -> None:
    page = (Path(__file__).parents[2] / "docs/write-a-provider.md").read_text()
    module = ModuleType("sunset")
    exec(
        compile(page.split("```python\n")[2].partition("```")[0], "<page>", "exec", dont_inherit=True), module.__dict__
    )
    world = World()

    async def draw(request: Request) -> JSONResponse:
        body = await world.note(request)
        if "REFUSE" in body["prompt"]:
            return JSONResponse({}, 400)
        return JSONResponse({"picture": base64_picture(), "model": "sunset-1", "tokens": 7, "usd": 0.02})

    with running(world, [Route("/v1/pictures", draw, methods=["POST"])]):
        plain = {"IMA2_PLUGINS__SUNSET__BASE_URL": world.base_url}
        async with ima2_client(environ={**plain, "SUNSET_API_KEY": "key-1"}, sunset=module) as client:
            drawn = await client.post("/api/generate", json={"prompt": "sea", "provider": "sunset"})
            assert drawn.status_code == 200, drawn.text
            assert world.seen[-1].headers["authorization"] == "Bearer key-1"
            refused = await client.post("/api/generate", json={"prompt": "REFUSE", "provider": "sunset"})
            assert (refused.status_code, refused.json()["code"]) == (502, "SUNSET_REFUSED")
        async with ima2_client(environ=plain, sunset=module) as client:
            missing = await client.post("/api/generate", json={"prompt": "sea", "provider": "sunset"})
            assert missing.json()["code"] == "SUNSET_KEY_MISSING"


def test_every_public_name_of_3_0_is_still_there() -> None:
    assert [name for name in NAMES_OF_3_0 if name not in ima2.__all__] == []


def test_a_warning_names_when_a_name_goes_and_what_replaces_it_and_points_at_its_user() -> None:
    def old_name() -> None:
        deprecated("ima2.old", "ima2.new")

    with pytest.warns(DeprecationWarning, match=r"ima2\.old .* 3\.2: use ima2\.new") as told:
        old_name()
    assert told[0].filename == __file__
