"""No process outlives its job, and the CLI can be asked for without being used."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.upstreams.agy_cli import records
from tests.upstreams.asking import draw, failure

import ima2
from ima2_plugins import agy
from ima2_plugins.agy.provider import AgyProvider
from ima2_plugins.agy.settings import AgySettings

Providers = Callable[..., AgyProvider]


def is_running(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be forgotten."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def all_gone(pids: list[int]) -> bool:
    """Whether processes are gone, give or take the moment that a kill takes."""
    for _ in range(50):
        if not any(is_running(pid) for pid in pids):
            return True
        await asyncio.sleep(0.02)
    return False


async def appeared(path: Path) -> None:
    """Wait for a file."""
    async with asyncio.timeout(20):
        while not path.exists():
            await asyncio.sleep(0.02)


async def pids(cli: Path) -> list[int]:
    """The fake's process and the child it left behind, once both run."""
    await appeared(cli / "child")
    return [records(cli)[0]["pid"], int((cli / "child").read_text())]


@pytest.mark.parametrize("mode", ["hang", "stubborn"])
async def test_a_canceled_job_leaves_no_process_behind(make: Providers, cli: Path, mode: str) -> None:
    task = asyncio.create_task(draw(make(mode)))
    running = await pids(cli)
    assert all(is_running(pid) for pid in running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await all_gone(running)
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


async def test_canceling_twice_does_not_save_the_process(make: Providers, cli: Path) -> None:
    task = asyncio.create_task(draw(make("stubborn")))
    running = await pids(cli)
    task.cancel()
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await all_gone(running)


async def test_a_timeout_leaves_no_process_behind(make: Providers, cli: Path) -> None:
    assert (await failure(make("stubborn", timeout_ms=1500))).code == "AGY_TIMEOUT"
    assert await all_gone(await pids(cli))


async def test_what_the_cli_leaves_running_does_not_hold_up_the_picture(make: Providers, cli: Path) -> None:
    begun = time.monotonic()
    await draw(make("child"))
    assert time.monotonic() - begun < 5
    assert await all_gone(await pids(cli))


async def test_a_daemon_of_the_cli_goes_on_without_holding_up_the_picture(make: Providers, cli: Path) -> None:
    begun = time.monotonic()
    await draw(make("daemon"))
    assert time.monotonic() - begun < 8
    _, daemon = await pids(cli)
    assert is_running(daemon)
    os.killpg(daemon, signal.SIGKILL)


async def test_one_canceled_candidate_of_several_ends_them_all(make: Providers, cli: Path) -> None:
    task = asyncio.create_task(draw(make("hang"), count=3))
    async with asyncio.timeout(20):
        while len(records(cli)) < 3:
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await all_gone([given["pid"] for given in records(cli)])


async def test_the_probe_runs_the_cli_and_says_how_it_is(make: Providers, cli: Path) -> None:
    provider = make(status_timeout_ms=1500)
    assert provider.problem() is None
    assert await provider.status() == ima2.ProviderStatus("ready", ("nano-banana-2",))
    for mode in ("fail", "hang"):
        (cli / "version-mode").write_text(mode)
        assert (await provider.status()).state == "offline"
    assert (await make(command="no-such-agy").status()).state == "offline"
    assert records(cli) == []


async def test_the_cli_is_also_found_where_installers_put_it(
    make: Providers, cli: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert make(command="agy").problem() is not None
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "agy").symlink_to(cli / "agy")
    assert make(command="agy").problem() is None
    monkeypatch.setenv("PATH", f"{cli}{os.pathsep}/usr/bin:/bin")
    assert await draw(make(command="agy"))


@pytest.mark.parametrize(("command", "installed"), [("", True), ("no-such-agy", False)])
async def test_the_status_route_says_whether_it_is_installed(
    cli: Path, tmp_path: Path, command: str, installed: bool
) -> None:
    context = ima2.PluginContext(
        plugin="agy",
        settings=AgySettings(command=command or str(cli / "agy")),
        config_dir=tmp_path,
        log=logging.getLogger("test"),
        http=httpx.AsyncClient,
        database=None,  # type: ignore[arg-type]  # the plugin keeps nothing
        publish=lambda event: None,
    )
    app = FastAPI()
    app.include_router(agy.ima2_routes(context))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/api/agy/status")
    assert (answer.status_code, answer.json()) == (200, {"installed": installed})
    (provider,) = agy.ima2_providers(context)
    assert provider.id == "agy"


def test_the_front_door_imports_nothing_heavy() -> None:
    code = (
        "import sys, ima2_plugins.agy; "
        "print(sorted({'httpx', 'pydantic', 'fastapi', 'PIL', 'asyncio'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
