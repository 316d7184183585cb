"""Graphs, drawings and ComfyUI from the real command line, with a server and without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Served
from tests.flow.cli import Cli, document
from tests.upstreams.comfy import running_comfy

from ima2.testing import picture

PLUGINS = "local_storage,pillow_thumbs,sse,demo,graph,canvas,comfy"
GRAPH = {"nodes": [{"id": "a", "x": 1, "y": 2, "data": {"prompt": "a heron"}}], "edges": []}


@pytest.fixture
def desk(serve: Any, at_work: Any) -> tuple[Served, Cli]:
    served = serve(plugins=PLUGINS)
    return served, at_work({**served.environ, "IMA2_SERVER": f"http://127.0.0.1:{served.port}"})


def begin(cli: Cli) -> str:
    return cli("session", "create", "Two", "words").stdout.strip()


def test_a_graph_goes_to_the_server_and_comes_back_as_a_file_that_can_be_saved_again(desk: tuple[Served, Cli]) -> None:
    _, cli = desk
    session, file = begin(cli), cli.folder / "graph.json"
    file.write_text(json.dumps(GRAPH))
    assert "graphVersion 1" in cli("session", "graph", "save", session, "graph.json").stdout
    assert cli("session", "graph", "load", session, "--out", "loaded.json").returncode == 0
    loaded = json.loads((cli.folder / "loaded.json").read_text())
    assert (loaded["version"], loaded["nodes"][0]["id"]) == (1, "a")
    assert document(cli("session", "graph", "save", session, "loaded.json", "--json"))["graphVersion"] == 2
    shown = cli("session", "show", session).stdout
    assert "Two words" in shown
    assert "version 2, 1 nodes, 0 edges" in shown


def test_a_file_of_an_older_version_is_not_saved_over_what_came_since(desk: tuple[Served, Cli]) -> None:
    _, cli = desk
    session = begin(cli)
    (cli.folder / "mine.json").write_text(json.dumps({**GRAPH, "version": 0}))
    cli("session", "graph", "save", session, "mine.json")
    stale = cli("session", "graph", "save", session, "mine.json")
    assert stale.returncode == 1
    assert "GRAPH_VERSION_CONFLICT" in stale.stderr
    assert "--force" in stale.stderr
    assert cli("session", "graph", "save", session, "mine.json", "--force").returncode == 0


def test_an_empty_graph_is_saved_only_on_request_and_older_versions_come_back(desk: tuple[Served, Cli]) -> None:
    _, cli = desk
    session = begin(cli)
    (cli.folder / "full.json").write_text(json.dumps(GRAPH))
    (cli.folder / "empty.json").write_text('{"nodes": [], "edges": []}')
    cli("session", "graph", "save", session, "--file", "full.json")
    assert cli("session", "graph", "save", session, "empty.json").returncode == 1
    assert cli("session", "graph", "save", session, "empty.json", "--allow-empty").returncode == 0
    assert [one["version"] for one in document(cli("session", "graph", "versions", session, "--json"))["versions"]] == [
        2,
        1,
    ]
    assert "graphVersion 3" in cli("session", "graph", "restore", session, "1").stdout
    assert json.loads(cli("session", "graph", "load", session).stdout)["nodes"][0]["id"] == "a"


@pytest.mark.parametrize("content", ["no json", "[]", '{"nodes": {}}', None])
def test_a_file_that_is_no_graph_is_a_usage_error_and_nothing_is_sent(serverless: Cli, content: str | None) -> None:
    if content is not None:
        (serverless.folder / "bad.json").write_text(content)
    done = serverless("session", "graph", "save", "s_1", "bad.json", "--server", "http://127.0.0.1:1")
    assert done.returncode == 2


def test_a_style_sheet_is_stored_used_and_dropped_with_its_session(desk: tuple[Served, Cli]) -> None:
    _, cli = desk
    session = begin(cli)
    (cli.folder / "style.json").write_text('{"medium": "gouache", "palette": ["teal"]}')
    assert cli("session", "style-sheet", "put", session, "style.json").returncode == 0
    assert cli("session", "style-sheet", "enable", session).returncode == 0
    found = document(cli("session", "style-sheet", "get", session))
    assert found == {"styleSheet": {"medium": "gouache", "palette": ["teal"]}, "enabled": True}
    cli("gen", "a boat", "--provider", "demo", "--session", session, "--size", "64x64", "-o", "boat.png")
    (item,) = document(cli("ls", "--session", session, "--json"))["items"]
    assert (item["userPrompt"], item["sessionTitle"]) == ("a boat", "Two words")
    assert item["prompt"].startswith("Keep this style throughout. Medium: gouache.")
    assert cli("session", "rm", session).returncode == 2
    assert cli("session", "rm", session, "--yes").returncode == 0
    gone = cli("session", "show", session)
    assert (gone.returncode, "SESSION_NOT_FOUND" in gone.stderr) == (5, True)


def test_sessions_work_without_a_server(serverless: Cli) -> None:
    environ = {"IMA2_PLUGINS": "local_storage,graph"}
    session = serverless("session", "create", "Alone", **environ).stdout.strip()
    listed = document(serverless("session", "ls", "--json", **environ))["sessions"]
    assert (listed[0]["id"], listed[0]["title"]) == (session, "Alone")


def test_drawings_belong_to_this_command_line(desk: tuple[Served, Cli]) -> None:
    _, cli = desk
    assert document(cli("annotate", "get", "a.png")) == {"annotations": None}
    assert cli("annotate", "set", "a.png", "--body", "no json").returncode == 2
    (cli.folder / "memos.json").write_text('{"memos": [{"text": "warmer"}]}')
    assert cli("annotate", "set", "a.png", "--body", "@memos.json").returncode == 0
    assert document(cli("annotate", "get", "a.png"))["annotations"]["memos"] == [{"text": "warmer"}]
    assert cli("annotate", "rm", "a.png", "--yes").returncode == 0
    assert document(cli("annotate", "get", "a.png")) == {"annotations": None}


def test_a_canvas_version_is_saved_and_updated(desk: tuple[Served, Cli]) -> None:
    _, cli = desk
    (cli.folder / "drawn.png").write_bytes(picture().data)
    saved = document(
        cli("canvas-versions", "save", "drawn.png", "--source", "grün.png", "--prompt", "wärmer", "--json")
    )
    assert (saved["item"]["canvasSourceFilename"], saved["item"]["prompt"]) == ("grün.png", "wärmer")
    name = saved["item"]["filename"]
    updated = document(cli("canvas-versions", "update", name, "drawn.png", "--json"))["item"]
    assert (updated["filename"], updated["prompt"]) == (name, "wärmer")
    (cli.folder / "no.png").write_text("no picture")
    assert cli("canvas-versions", "save", "no.png").returncode == 2


async def test_the_receipt_of_comfyui_is_written_but_never_over_another_file(serve: Any, at_work: Any) -> None:
    import asyncio

    async with running_comfy() as comfy:
        served = await asyncio.to_thread(serve, plugins=PLUGINS, IMA2_COMFY_URL=f"http://127.0.0.1:{comfy.port}")
        cli = at_work({**served.environ, "IMA2_SERVER": f"http://127.0.0.1:{served.port}"})
        (served.generated / "a.png").write_bytes(picture().data)
        done = await asyncio.to_thread(cli, "comfy", "export", "a.png", "--json")
        assert json.loads(done.stdout) == {"path": "a.png.workflow.json"}
        again = await asyncio.to_thread(cli, "comfy", "export", "a.png")
    assert again.returncode == 2
    assert len(comfy.requests) == 1
    receipt = json.loads((Path(cli.folder) / "a.png.workflow.json").read_text())
    assert receipt == {"ok": True, "sourceFilename": "a.png", "uploadedFilename": "stored.png"}


def test_a_plugin_that_is_off_takes_its_routes_and_commands_along_and_nothing_else(serve: Any, at_work: Any) -> None:
    served = serve(plugins="local_storage,pillow_thumbs,sse,demo,canvas")
    cli = at_work({**served.environ, "IMA2_SERVER": f"http://127.0.0.1:{served.port}"})
    assert served.client.get("/api/sessions").status_code == 404
    assert served.client.get("/api/annotations/a.png", headers={"X-Ima2-Browser-Id": "b"}).status_code == 200
    off = cli("session", "ls")
    assert off.returncode == 2
    assert "ima2 plugins enable graph" in off.stdout
    body = {"prompt": "a boat", "provider": "demo", "size": "64x64", "sessionId": "s_1"}
    assert served.client.post("/api/generate", json=body).status_code == 200
    assert "session " not in cli("--help").stdout
