"""Edits, sequences, nodes and clips: the real ``ima2`` against a real server, and without one."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flow.cli import Cli, document, running, until
from tests.upstreams import xai
from tests.upstreams.world import World, picture
from tests.upstreams.world import running as upstream

from ima2.testing import clip

DEMO = ("--provider", "demo", "-s", "64x64")
WITH_NODES = "local_storage,pillow_thumbs,sse,demo,graph"


@pytest.fixture(params=["server", "no server"])
def anywhere(request: pytest.FixtureRequest, serve: Any, at_work: Any) -> Cli:
    """Commands with a server and without one: both must end alike."""
    if request.param == "server":
        cli: Cli = at_work(serve(plugins=WITH_NODES).environ)
        return cli
    alone: Cli = request.getfixturevalue("serverless")
    return alone


def test_a_picture_is_changed(anywhere: Cli) -> None:
    (anywhere.folder / "in.png").write_bytes(picture(64, 64))
    done = anywhere("edit", "in.png", "-p", "in snow", *DEMO, "-o", "out.webp", "--json")
    assert done.returncode == 0, done.stderr
    answer = document(done)
    assert (answer["ok"], answer["path"]) == (True, "out.webp")
    assert answer["requestId"].startswith("req_cli_edit_")
    assert (anywhere.folder / "out.webp").read_bytes()[8:12] == b"WEBP"


def test_a_mask_of_another_size_is_refused(anywhere: Cli) -> None:
    (anywhere.folder / "in.png").write_bytes(picture(64, 64))
    (anywhere.folder / "mask.png").write_bytes(picture(32, 32))
    done = anywhere("edit", "in.png", "-p", "in snow", "--mask", "mask.png", *DEMO, "--json")
    assert done.returncode == 5
    assert document(done)["code"] == "EDIT_MASK_NO_ALPHA"


def test_a_sequence_is_told_and_kept(anywhere: Cli) -> None:
    done = anywhere("multimode", "a fox by the sea", "--max-images", "3", *DEMO, "-d", "mm")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("streaming")
    assert lines[1:4] == ["✓ image 1", "✓ image 2", "✓ image 3"]
    files = sorted((anywhere.folder / "mm").iterdir())
    assert [line.removeprefix("✓ mm/") for line in lines[4:7]] == [path.name for path in files]
    assert len({path.read_bytes() for path in files}) == 3
    assert lines[-1] == "done: 3/3"


def test_a_refused_sequence_ends_as_its_code_says(anywhere: Cli) -> None:
    done = anywhere("multimode", "x demo:fail=refuse", *DEMO, "--json")
    assert (done.returncode, document(done)["code"]) == (7, "SAFETY_REFUSAL")
    assert "Hint:" in done.stderr


def test_nodes_grow_from_one_another(anywhere: Cli) -> None:
    first = document(anywhere("node", "generate", "a harbour", *DEMO, "--json"))
    (path,) = first["paths"]
    assert Path(path).name == f"{first['nodeId']}.png"
    assert Path(path).is_file()
    grown = anywhere("node", "generate", "at night", "--parent", first["nodeId"], *DEMO, "-o", "night.png")
    assert grown.returncode == 0, grown.stderr
    assert "✓ night.png" in grown.stdout.splitlines()
    lost = anywhere("node", "generate", "x", "--parent", "n_gone", *DEMO, "--json")
    assert (lost.returncode, document(lost)["code"]) == (5, "NODE_NOT_FOUND")


def test_a_node_is_looked_up_and_answers_without_a_stream_too(serve: Any, at_work: Any) -> None:
    cli = at_work(serve(plugins=WITH_NODES).environ)
    first = document(cli("node", "generate", "a harbour", *DEMO, "--no-stream", "-o", "a.png", "--json"))
    assert first["paths"] == ["a.png"]
    assert first["image"].startswith("data:image/png;base64,")
    shown = document(cli("node", "show", first["nodeId"], "--json"))
    assert (shown["nodeId"], shown["url"]) == (first["nodeId"], f"/generated/{first['nodeId']}.png")
    assert cli("node", "show", "n_gone").returncode == 5


@pytest.mark.parametrize("command", [("multimode",), ("node", "generate")])
def test_ctrl_c_cancels_the_job_on_the_server(serve: Any, at_work: Any, command: tuple[str, ...]) -> None:
    served = serve(plugins=WITH_NODES)
    process = at_work(served.environ).start(*command, "a boat demo:delay=60000", *DEMO, "--json")
    job = until(lambda: running(served))[0]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert running(served) == []
    assert "cancelled on the server" in err
    assert json.loads(out)["requestId"] == job["requestId"]


def test_pictures_that_came_before_ctrl_c_are_kept(serve: Any, at_work: Any) -> None:
    served = serve(plugins=WITH_NODES)
    cli = at_work(served.environ)
    process = cli.start("multimode", "a boat demo:delay=800", *DEMO, "--max-images", "8", "-d", "mm")
    until(lambda: list(served.generated.glob("*_multimode_*.png")), 40)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    kept = list((cli.folder / "mm").iterdir())
    assert kept
    assert f"✓ mm/{kept[0].name}" in out.splitlines()


def test_a_server_that_dies_under_a_sequence_is_told(serve: Any, at_work: Any) -> None:
    served = serve(plugins=WITH_NODES)
    process = at_work(served.environ).start("multimode", "a boat demo:delay=60000", *DEMO, "--json")
    until(lambda: running(served))
    served.stop(signal.SIGKILL)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert json.loads(out)["code"] == "CONNECTION_LOST"


def test_without_a_server_clips_are_asked_of_the_providers_here(serverless: Cli) -> None:
    done = serverless("video", "a kite", "--provider", "demo", "--json")
    assert (done.returncode, document(done)["code"]) == (5, "VIDEO_PROVIDER_UNSUPPORTED")
    assert "doing it here" in done.stderr


def test_a_provider_without_clips_is_refused_with_a_hint(serve: Any, at_work: Any) -> None:
    done = at_work(serve(plugins=WITH_NODES).environ)("video", "a kite", "--provider", "demo", "--json")
    assert done.returncode == 5
    assert document(done)["requestId"].startswith("req_cli_video_")
    assert "Hint: choose a --provider" in done.stderr


@pytest.fixture
def filming(serve: Any, at_work: Any) -> Iterator[tuple[Cli, Any, World]]:
    """Commands, their server, and the upstream behind it that makes clips."""
    world = World()
    with upstream(world, [*xai.routes(world)]):
        served = serve(
            plugins="local_storage,sse,grok",
            IMA2_XAI_BASE_URL=f"{world.base_url}/xai/v1",
            XAI_API_KEY=xai.KEY,
            IMA2_GROK_VIDEO_POLL_INTERVAL_MS="100",
        )
        yield at_work(served.environ), served, world


def test_a_clip_is_made_continued_and_looked_into(
    filming: tuple[Cli, Any, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.upstreams.xai_clips.CLIP", clip().data)
    cli, served, world = filming
    grok = ("--provider", "grok-api")
    done = cli("video", "a kite", "over dunes", "--duration", "6", *grok, "--json")
    assert done.returncode == 0, done.stderr
    made = document(done)
    assert Path(made["path"]) == served.generated / made["filename"]
    assert (made["video"]["duration"], made["video"]["modelFallback"]) == (6, None)
    saved = cli("video", "a kite", *grok, "-o", "kite.mp4")
    assert saved.returncode == 0, saved.stderr
    assert saved.stdout.splitlines()[0] == "planning"
    assert "✓ kite.mp4" in saved.stdout.splitlines()
    assert (cli.folder / "kite.mp4").read_bytes()[4:8] == b"ftyp"
    framed = cli("video", "frame", made["path"])
    assert framed.returncode == 0, framed.stderr
    assert (cli.folder / f"frame-{Path(made['path']).stem}.png").read_bytes().startswith(b"\x89PNG")
    going_on = cli("video", "continue", "it lands", "--video", made["path"], *grok, "--json")
    assert going_on.returncode == 0, going_on.stderr
    assert json.loads(going_on.stdout)["videoContinuity"]["parentFilename"] == made["filename"]
    longer = cli("video", "extend", "it flies on", "--video", made["path"], *grok, "-o", "long.mp4", "--json")
    assert longer.returncode == 0, longer.stderr
    assert json.loads(longer.stdout)["path"] == "long.mp4"
    told = cli("video", "analyze", made["path"], *grok)
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip()
    assert len(world.calls("videos/generations")) == 3


@pytest.mark.parametrize("command", [(), ("edit", "--video", "https://clips.example/a.mp4")])
def test_ctrl_c_cancels_a_clip_on_the_server(filming: tuple[Cli, Any, World], command: tuple[str, ...]) -> None:
    cli, served, world = filming
    world.state["xai.polls"] = [(202, {"status": "pending", "progress": 10})] * 10_000
    process = cli.start("video", *command, "a kite", "--provider", "grok-api", "--json")
    until(lambda: running(served))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "cancelled on the server" in err
    assert running(served) == []
