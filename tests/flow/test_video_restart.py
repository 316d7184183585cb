"""Clips that were ordered are collected after a restart, and never bought twice."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.flow.clips import BODY, ended, film, sidecar, told
from tests.upstreams import xai
from tests.upstreams.world import World, running

from ima2.runtime import assemble, open_runtime
from ima2.testing import EchoProvider, FilmProvider, MemoryStorage, RecordingSink, plugin


async def test_an_ordered_clip_is_collected_after_a_polite_stop_and_ends_once(ima2_client: Any) -> None:
    before, after, sink, heard = FilmProvider(hold="submitted"), FilmProvider(), RecordingSink(), RecordingSink()
    body = {**BODY, "topic": "kites", "sessionId": "s_1", "duration": 7, "aspectRatio": "16:9"}
    async with ima2_client(film=plugin(providers=[before], event_sinks=[sink])) as client:
        waiting = asyncio.create_task(client.post("/api/video/generate", json=body))
        await before.held.wait()
    lost = told(await waiting)
    async with ima2_client(film=plugin(providers=[after], event_sinks=[heard])) as client:
        while not heard.named("done"):
            await asyncio.sleep(0.01)
        job = await ended(client)
        kept = await sidecar(client, job["meta"]["filename"])
    assert lost[-1][1]["code"] == "SERVER_RESTARTED"
    assert not [event for event in sink.events if event.terminal]
    assert [one.id for one in after.resumed] == ["film-v"]
    assert not after.asked
    done = heard.named("done")[0].data
    assert [event.name for event in heard.events] == ["progress", "done"]
    assert (done["requestId"], done["videoSeries"]) == ("v", {"topic": "kites", "chainIndex": 0})
    assert done["video"]["aspectRatio"] == "16:9"
    assert (job["status"], job["meta"]["filmId"]) == ("completed", "film-v")
    assert (kept["prompt"], kept["sessionId"], kept["revisedPrompt"]) == (BODY["prompt"], "s_1", "a planned prompt")


async def test_a_clip_that_is_collected_twice_is_one_file(ima2_client: Any) -> None:
    """The process died when the clip was in the gallery, but not yet in the job's record."""
    first, again, heard = FilmProvider(), FilmProvider(), RecordingSink()
    parts = {"memory": plugin(storages=[MemoryStorage()]), "environ": {"IMA2_STORAGE": "memory"}}
    async with ima2_client(film=plugin(providers=[first]), **parts) as client:
        name = (await film(client))["filename"]
        back = "UPDATE ima2_jobs SET status = 'active', owner = 'dead', finished_at = NULL"
        await client.runtime.database.write(lambda connection: connection.exec_driver_sql(back))
    async with ima2_client(film=plugin(providers=[again], event_sinks=[heard]), **parts) as client:
        while not heard.named("done"):
            await asyncio.sleep(0.01)
        assert heard.named("done")[0].data["filename"] == name
        assert [row["filename"] for row in (await client.get("/api/history")).json()["items"]] == [name]
    assert len(again.resumed) == 1


async def test_a_process_that_soon_ends_leaves_ordered_clips_to_one_that_stays(
    ima2_client: Any, tmp_path: Path
) -> None:
    before, brief, after = FilmProvider(hold="submitted"), FilmProvider(), FilmProvider()
    async with ima2_client(film=plugin(providers=[before])) as client:
        await client.post("/api/video/generate", json={**BODY, "async": True})
        await before.held.wait()
    parts = {"film": plugin(providers=[brief]), "memory": plugin(storages=[MemoryStorage()])}
    environ = {"IMA2_CONFIG_DIR": str(tmp_path / "home"), "IMA2_STORAGE": "memory"}
    made = assemble(environ=environ, extra=parts, discover_entry_points=False)
    async with open_runtime(made, background=False) as runtime:
        assert runtime.jobs.count == 0
    async with ima2_client(film=plugin(providers=[after])) as client:
        while not after.resumed:
            await asyncio.sleep(0.01)
    assert not brief.resumed


async def first_end(client: Any) -> dict[str, Any]:
    """The job that ends next."""
    async with asyncio.timeout(10):
        while not (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"]:
            await asyncio.sleep(0.05)
    return await ended(client)


async def test_a_clip_that_was_not_ordered_yet_is_made_after_the_restart(ima2_client: Any) -> None:
    before, after = FilmProvider(hold="planning"), FilmProvider()
    async with ima2_client(film=plugin(providers=[before])) as client:
        await client.post("/api/video/generate", json={**BODY, "async": True})
        await before.held.wait()
    async with ima2_client(film=plugin(providers=[after])) as client:
        job = await first_end(client)
    assert (job["status"], job["requestId"]) == ("completed", "v")
    assert len(after.asked) == 1
    assert not after.resumed


async def test_an_ordered_clip_waits_for_its_provider_and_is_collected_once_that_is_there(ima2_client: Any) -> None:
    before, after = FilmProvider(hold="submitted"), FilmProvider()
    async with ima2_client(film=plugin(providers=[before])) as client:
        await client.post("/api/video/generate", json={**BODY, "async": True})
        await before.held.wait()
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        assert (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"] == []
    async with ima2_client(film=plugin(providers=[after])) as client:
        job = await first_end(client)
    assert (job["status"], job["meta"]["filmId"]) == ("completed", "film-v")
    assert not after.asked
    assert len(after.resumed) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_servers_clip_is_collected_and_never_bought_twice(serve: Any, how: int) -> None:
    world = World()
    with running(world, [*xai.routes(world)]):
        served = serve(
            plugins="local_storage,sse,grok",
            IMA2_XAI_BASE_URL=f"{world.base_url}/xai/v1",
            XAI_API_KEY=xai.KEY,
            IMA2_GROK_VIDEO_POLL_INTERVAL_MS="100",
        )
        world.state["xai.polls"] = [(202, {"status": "pending", "progress": 10})] * 10_000
        body = {"prompt": "a kite", "provider": "grok-api", "requestId": "paid", "duration": 6, "async": True}
        assert served.client.post("/api/video/generate", json=body).status_code == 202

        def job(ended: str = "") -> dict[str, Any]:
            listed = served.client.get("/api/inflight?kind=video&includeTerminal=1").json()
            found: dict[str, Any] = next(iter(listed["terminalJobs" if ended else "jobs"]), {})
            return found

        until(lambda: job().get("meta", {}).get("xaiVideoRequestId") == "vid-1")
        served.stop(how)
        world.state["xai.polls"] = []
        served.start()
        until(lambda: job("yes"))
        done = job("yes")
        assert (done["requestId"], done["status"]) == ("paid", "completed")
        row = served.client.get("/api/history").json()["items"][0]
    assert row["filename"] == done["meta"]["filename"]
    assert (row["prompt"], row["video"]["xaiVideoRequestId"]) == ("a kite", "vid-1")
    assert len(world.calls("videos/generations")) == 1


def until(check: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
