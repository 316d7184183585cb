"""A killed server takes its CLI with it, and what the CLI had made by then is found again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.agy.test_processes import all_gone, appeared, is_running
from tests.upstreams.agy_cli import records
from tests.upstreams.asking import KITE, all_of, only
from tests.upstreams.world import picture

import ima2
from ima2_plugins.agy.provider import AgyProvider

Providers = Callable[..., AgyProvider]
SERVER = """
import asyncio, json, sys
import ima2
from ima2_plugins.agy.provider import AgyProvider
from ima2_plugins.agy.settings import AgySettings

async def main():
    provider = AgyProvider(AgySettings(command=sys.argv[1]))
    request = ima2.ImageRequest("a red kite over dunes", "agy", count=int(sys.argv[2]))
    async for update in provider.images(request, ima2.Job("job-1")):
        if isinstance(update, ima2.Receipt):
            print(json.dumps({"id": update.id, "data": dict(update.data)}), flush=True)

asyncio.run(main())
"""


async def killed(cli: Path, mode: str, count: int = 1) -> tuple[ima2.Receipt, list[int]]:
    """A server of its own that is killed while its CLI runs: its receipt, and the processes there were."""
    (cli / "mode").write_text(mode)
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(cli / "agy"), str(count), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    told = json.loads(await server.stdout.readline())
    async with asyncio.timeout(20):
        while len(records(cli)) < count:
            await asyncio.sleep(0.02)
    await appeared(cli / "child")
    pids = [*(given["pid"] for given in records(cli)), int((cli / "child").read_text())]
    assert all(is_running(pid) for pid in pids)
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    return ima2.Receipt(told["id"], told["data"]), pids


async def collect(provider: AgyProvider, receipt: ima2.Receipt) -> list[ima2.Update]:
    """What is taken over after a restart."""
    request = ima2.ImageRequest(KITE, provider.id)
    return [update async for update in provider.resume_images(receipt, request, ima2.Job("job-1"))]


@pytest.mark.parametrize("mode", ["hang", "stubborn"])
async def test_the_whole_group_dies_with_a_killed_server(cli: Path, mode: str) -> None:
    _, pids = await killed(cli, mode)
    assert await all_gone(pids)


async def test_a_picture_that_was_made_by_then_is_collected(make: Providers, cli: Path) -> None:
    receipt, _ = await killed(cli, "made-then-hang")
    updates = await collect(make(), receipt)
    artifact = only(updates, ima2.Artifact)
    assert (artifact.index, artifact.picture.data, artifact.revised_prompt) == (0, picture(seed=3), KITE)
    assert len(records(cli)) == 1
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


async def test_several_are_collected_each_at_its_place(make: Providers, cli: Path) -> None:
    receipt, _ = await killed(cli, "made-then-hang", count=3)
    assert sorted(one.index for one in all_of(await collect(make(), receipt), ima2.Artifact)) == [0, 1, 2]


async def test_a_run_that_had_made_nothing_is_said_to_have_ended(make: Providers, cli: Path) -> None:
    receipt, _ = await killed(cli, "hang")
    with pytest.raises(ima2.Ima2Error) as caught:
        await collect(make(), receipt)
    assert (caught.value.code, "allowance" in caught.value.text) == ("AGY_ARTIFACT_NOT_FOUND", True)
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


async def test_a_picture_is_taken_from_a_run_that_had_to_be_stopped(make: Providers) -> None:
    request = ima2.ImageRequest(KITE, "agy")
    updates = [one async for one in make("made-then-hang", timeout_ms=1500).images(request, ima2.Job("job-1"))]
    assert only(updates, ima2.Artifact).picture.data == picture(seed=3)


async def test_half_a_picture_is_none(make: Providers, cli: Path) -> None:
    receipt, _ = await killed(cli, "half-then-hang")
    with pytest.raises(ima2.Ima2Error) as caught:
        await collect(make(), receipt)
    assert caught.value.code == "PICTURE_INCOMPLETE"


async def test_a_receipt_cannot_have_another_folder_cleared(make: Providers, home: Path) -> None:
    (home / "precious").touch()
    with pytest.raises(ima2.Ima2Error):
        await collect(make(), ima2.Receipt("ima2_generated_x", {"folder": str(home), "names": ["ima2_generated_x"]}))
    assert (home / "precious").exists()


async def test_the_order_is_marked_before_the_run_and_after_the_receipt(make: Providers, cli: Path) -> None:
    seen: list[str] = []

    async def mark() -> None:
        seen.append(f"ordered after {len(records(cli))} runs")

    updates = make().images(ima2.ImageRequest(KITE, "agy"), ima2.Job("job-1", on_order=mark))
    seen.extend([type(await anext(updates)).__name__])
    seen.extend([type(update).__name__ async for update in updates])
    assert seen == ["Receipt", "ordered after 0 runs", "Usage", "Artifact"]
