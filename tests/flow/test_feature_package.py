"""The package of ``docs/write-a-feature.md``: built, installed, used in all it offers, and removed."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.flow.test_third_party_package import run

from ima2.testing import EchoProvider, plugin

PAGE = (Path(__file__).parents[2] / "docs/write-a-feature.md").read_text()
FILES = dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
WORDS = """
import io

import ima2


class Words(ima2.Provider):
    id, title = "words", "Words"
    capabilities = ima2.Capabilities(text=True)

    async def images(self, request, job):
        from PIL import Image

        Image.new("RGB", (64, 64), "teal").save(out := io.BytesIO(), "PNG")
        yield ima2.Artifact(ima2.Picture(out.getvalue(), "image/png"))

    async def text(self, request):
        return ima2.TextResult("a red lighthouse\\na blue harbour\\na third line", "words-1")


@ima2.hookimpl
def ima2_providers():
    return [Words()]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages: the feature's wheel, and one with a provider of words and pictures."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name, text in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    built = run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", source / "dist", source])
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (source / "dist").glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--no-index", "--quiet"]
    done = run([*pip, "--target", site, wheel])
    assert done.returncode == 0, done.stdout + done.stderr
    info = site / "words-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: words\nVersion: 1.0\nRequires-Dist: ima2>=3,<4\n")
    (info / "entry_points.txt").write_text("[ima2.plugins]\nwords = words_mod\n")
    (site / "words_mod.py").write_text(WORDS)
    return site


class World:
    """A fresh folder, the packages of the site, and a server while it is wanted."""

    def __init__(self, site: Path, home: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("IMA2_")}
        path = os.pathsep.join([str(site), *sys.path])
        self.environ = {**clean, "PYTHONPATH": path, "IMA2_CONFIG_DIR": str(home), "HOME": str(home), "NO_COLOR": "1"}
        self.environ |= {"POSTCARDS_SEAL": "hush-hush-hush", "IMA2_DEFAULT_PROVIDER": "words"}
        self.home, self.base = home, ""

    def ima2(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        code = "import sys; from ima2.cli import main; main(sys.argv[1:])"
        return run([sys.executable, "-c", code, *arguments], env=self.environ, cwd=self.home)

    def serve(self) -> subprocess.Popen[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        code = f"from ima2.cli import main; main(['serve', '--port', '{port}'])"
        environ = {**self.environ, "IMA2_LOG_LEVEL": "debug"}
        command = [sys.executable, "-c", code]
        with (self.home / "log.txt").open("w") as log:
            server = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=self.home, text=True)
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{self.base}/api/health", trust_env=False)
                return server
            except httpx.TransportError:
                assert server.poll() is None, (self.home / "log.txt").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)


@pytest.fixture
def world(site: Path, tmp_path: Path) -> World:
    return World(site, tmp_path)


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    server = world.serve()
    try:
        with httpx.Client(base_url=world.base, trust_env=False, timeout=60) as client:
            yield client
    finally:
        server.terminate()
        server.wait(20)


def test_the_page_holds_a_whole_package() -> None:
    assert {"pyproject.toml", "ima2_postcards/__init__.py", "ima2_postcards/command.py"} <= set(FILES)


def test_it_is_ready_with_all_it_offers(world: World) -> None:
    checked = world.ima2("plugins", "check", "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    row = next(one for one in json.loads(checked.stdout)["plugins"] if one["name"] == "postcards")
    assert (row["state"], row["package"], row["writtenFor"]) == ("ready", "ima2-feature-postcards", "3")
    assert row["offers"] == ["policy:postcards-decent"]
    assert "warnings" not in row
    assert "hush-hush-hush" not in world.ima2("plugins", "show", "postcards").stdout


def test_its_routes_job_words_table_event_and_secret_work(http: httpx.Client, world: World) -> None:
    with http.stream(
        "POST", "/api/postcards", json={"theme": "the sea"}, headers={"accept": "text/event-stream"}
    ) as told:
        events = [line[7:] for line in told.iter_lines() if line.startswith("event: ")]
    assert events[-1] == "done"
    assert events.count("done") == 1
    listed = http.get("/api/postcards")
    assert listed.status_code == 200, (world.home / "log.txt").read_text()
    (card,) = listed.json()["cards"]
    assert card["theme"] == "the sea"
    assert len(card["pictures"]) == 2
    for key in card["pictures"]:
        assert key.startswith("postcards/")
        assert http.get(f"/generated/{key}").content.startswith(b"\x89PNG")
    prompts = [row["prompt"] for row in http.get("/api/history").json()["items"]]
    assert sorted(prompts) == ["a blue harbour", "a red lighthouse"]
    written = http.post("/api/postcards", json={"theme": "the hills"}).json()
    assert (
        written["seal"]
        == hmac.new(b"hush-hush-hush", " ".join(written["pictures"]).encode(), hashlib.sha256).hexdigest()
    )
    assert http.post("/api/postcards", json={}).json()["code"] == "THEME_MISSING"
    log = (world.home / "log.txt").read_text()
    assert "hush-hush-hush" not in log
    assert "red lighthouse" not in log


def test_its_policy_counts_for_everybody_and_from_the_moment_it_is_changed(http: httpx.Client) -> None:
    draw = {"prompt": "a tank in a field", "provider": "demo"}
    assert http.post("/api/generate", json=draw).status_code == 200
    assert http.put("/api/postcards/refused", json={"words": ["tank"]}).json() == {"words": ["tank"]}
    refused = http.post("/api/generate", json=draw)
    assert (refused.status_code, refused.json()["code"]) == (422, "WORD_REFUSED")
    assert http.post("/api/generate", json={**draw, "prompt": "a field"}).status_code == 200


def test_its_page_its_block_and_its_command_work(http: httpx.Client, world: World) -> None:
    assert "<title>Postcards</title>" in http.get("/postcards/").text
    assert "flatMap" in http.get("/postcards/cards.js").text
    assert http.get("/api/capabilities").json()["postcards"]["route"] == "/api/postcards"
    done = world.ima2("postcards", "a lake", "--server", world.base)
    assert done.returncode == 0, done.stderr
    assert [line.partition("/")[0] for line in done.stdout.split()] == ["postcards", "postcards"]


async def test_its_tool_wants_consent(site: Path, monkeypatch: pytest.MonkeyPatch, ima2_runtime: Any) -> None:
    monkeypatch.syspath_prepend(str(site))
    import ima2_postcards  # type: ignore[import-not-found]

    import ima2

    async with ima2_runtime(postcards=ima2_postcards, echo=plugin(providers=[EchoProvider()])) as runtime:
        await runtime.booted.contexts["postcards"].set("provider", "echo")
        tool = runtime.booted.contexts["postcards"].tools()["write_postcard"]
        with pytest.raises(ima2.Ima2Error) as caught:
            await tool.run({"theme": "rain"})
        assert caught.value.code == "CONSENT_REQUIRED"
        followed = runtime.booted.contexts["postcards"].subscribe("postcards.written")
        answer = await tool.run({"theme": "rain"}, consent=True)
        assert len(answer["pictures"]) == 2
        assert (await anext(followed)).data == {"pictures": answer["pictures"]}


def test_once_it_is_removed_the_house_stands_and_its_command_is_gone(world: World, tmp_path: Path) -> None:
    world.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    listed = json.loads(world.ima2("plugins", "list", "--json").stdout)["plugins"]
    assert "postcards" not in [row["name"] for row in listed]
    assert "Unknown command" in world.ima2("postcards", "a lake").stdout
    assert world.ima2("gen", "a lake", "--provider", "demo", "-o", str(tmp_path / "lake.png")).returncode == 0
