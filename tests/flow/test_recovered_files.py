"""A job whose files were all on disk when its process died is a completed job, whatever its record had heard of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

from ima2 import Artifact, ImageRequest, Job, Update
from ima2.database import tables
from ima2.testing import EchoProvider, picture, plugin


class Hanging(EchoProvider):
    """Hands its pictures over and then never ends."""

    def __init__(self, pictures: int) -> None:
        super().__init__()
        self.pictures, self.handed = pictures, asyncio.Event()

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        for index in range(self.pictures):
            yield Artifact(picture(), index=index)
        self.handed.set()
        await asyncio.Event().wait()


async def ended(client: Any) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while not (found := (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"]):
            await asyncio.sleep(0.02)
    job: dict[str, Any] = found[0]
    return job


async def left_behind(ima2_client: Any, tmp_path: Path, *, made: int, asked: int) -> tuple[dict[str, Any], list[Any]]:
    """What the next process says of a job of which so many pictures were made when its process died."""
    provider, folder = Hanging(made), {"IMA2_STORAGE": "local"}
    local = import_module("ima2_plugins.local_storage")
    async with ima2_client(echo=plugin(providers=[provider]), local=local, environ=folder) as client:
        body = {"prompt": "a boat", "provider": "echo", "requestId": "j", "n": asked, "async": True}
        await client.post("/api/generate", json=body)
        await provider.handed.wait()
        runtime = client.runtime
        await runtime.jobs.store.flush()
        (record,) = await runtime.jobs.store.open()
        forgotten = {"files": "[]", "owner": "a dead process"}
        table = tables.jobs
        await runtime.database.write(lambda c: c.execute(table.update().where(table.c.id == "j").values(**forgotten)))
        assert record.ordered_at is not None
        for running in list(runtime.jobs._running.values()):
            running.suspended = True
    async with ima2_client(echo=plugin(providers=[EchoProvider()]), local=local, environ=folder) as client:
        job = await ended(client)
        rows = (await client.get("/api/history")).json()["items"]
    return job, rows


async def test_one_picture_on_disk_completes_its_job(ima2_client: Any, tmp_path: Path) -> None:
    job, rows = await left_behind(ima2_client, tmp_path, made=1, asked=1)
    assert (job["status"], len(rows)) == ("completed", 1)
    assert job["meta"]["filenames"] == [rows[0]["filename"]]
    assert rows[0]["prompt"] == "a boat"


async def test_a_picture_that_is_missing_leaves_the_outcome_unknown_and_the_others_kept(
    ima2_client: Any, tmp_path: Path
) -> None:
    job, rows = await left_behind(ima2_client, tmp_path, made=1, asked=2)
    assert (job["status"], job["errorCode"], len(rows)) == ("error", "OUTCOME_UNKNOWN", 1)
