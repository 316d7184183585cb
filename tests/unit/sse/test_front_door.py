"""What the plugin offers, and what offering it costs."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import ima2
import ima2_plugins.sse as plugin
from ima2.database.sqlite import Database
from ima2_plugins.sse.settings import SseSettings
from ima2_plugins.sse.stream import EventStream


def context(folder: Path) -> ima2.PluginContext:
    return ima2.PluginContext(
        plugin="sse",
        settings=SseSettings(),
        config_dir=folder,
        log=logging.getLogger("test"),
        http=lambda: pytest.fail("no network here"),
        database=Database(folder / "sessions.db"),
        publish=lambda event: None,
    )


def test_one_sink_its_routes_and_its_table(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    [sink] = plugin.ima2_event_sinks(ctx)
    assert (sink.id, sink.problem()) == ("sse", None)
    assert plugin.ima2_settings() is SseSettings
    assert list(plugin.ima2_tables().metadata.tables) == ["sse_events"]
    paths = [getattr(route, "path", "") for route in plugin.ima2_routes(ctx).routes]
    assert paths == ["/api/events", "/api/events/previews/{token}"]


async def test_each_house_of_a_process_has_a_channel_of_its_own(tmp_path: Path) -> None:
    contexts = [context(tmp_path / name) for name in "ab"]
    sinks = [plugin.ima2_event_sinks(ctx)[0] for ctx in contexts]
    for ctx, sink in zip(contexts, sinks, strict=True):
        endpoint = getattr(plugin.ima2_routes(ctx).routes[0], "endpoint", None)
        assert endpoint is not None
        answer = await endpoint(None, None, "data")
        assert isinstance(answer, EventStream)
        assert answer._sink is sink


def test_the_front_door_imports_nothing_heavy() -> None:
    code = "import json, sys, ima2_plugins.sse; print(json.dumps(sorted(sys.modules)))"
    root = Path(__file__).parents[3]
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{root / 'core'}:{root / 'plugins'}"},
        capture_output=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in json.loads(answer.stdout)}
    assert not loaded & {"fastapi", "starlette", "pydantic", "sqlalchemy", "orjson", "asyncio", "httpx", "uvicorn"}
