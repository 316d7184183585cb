"""A process died when pictures were in the gallery and their job's end was not in the ledger yet."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from ima2.database.tables import jobs
from ima2.testing import EchoProvider, MemoryStorage, RecordingSink, plugin

BODY = {"prompt": "a boat", "provider": "echo", "n": 2, "requestId": "j"}
BEFORE = {"status": "active", "owner": "dead", "finished_at": None, "event": None, "told_at": None}


@pytest.mark.parametrize(("lost", "status", "code"), [(0, "completed", None), (1, "error", "OUTCOME_UNKNOWN")])
async def test_it_is_completed_when_all_are_there_and_else_its_outcome_is_unknown(
    ima2_client: Any, lost: int, status: str, code: str | None
) -> None:
    again, heard = EchoProvider(), RecordingSink()
    more = {"memory": plugin(storages=[MemoryStorage()]), "environ": {"IMA2_STORAGE": "memory"}}
    async with ima2_client(echo=plugin(providers=[EchoProvider()]), **more) as client:
        images = (await client.post("/api/generate", json=BODY)).json()["images"]
        for image in images[:lost]:
            await client.runtime.library.storage.delete(image["filename"])
        await client.runtime.database.write(lambda connection: connection.execute(update(jobs).values(BEFORE)))
    async with ima2_client(echo=plugin(providers=[again], event_sinks=[heard]), **more) as client:
        async with asyncio.timeout(10):
            while not [event for event in heard.events if event.terminal]:
                await asyncio.sleep(0.01)
        (job,) = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"]
    (end,) = [event for event in heard.events if event.terminal]
    assert (job["status"], job.get("errorCode"), again.asked) == (status, code, [])
    if not lost:
        assert end.name == "done"
        assert [one["filename"] for one in end.data["images"]] == [one["filename"] for one in images]
    else:
        assert "may have been billed" in end.data["error"]
