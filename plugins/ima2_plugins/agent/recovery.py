"""What becomes of an item whose process went away while it ran. Nothing is ordered twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping

import ima2
from ima2_plugins.agent import queue, sessions
from ima2_plugins.agent.run import image_values
from ima2_plugins.agent.values import loads

if TYPE_CHECKING:
    from ima2_plugins.agent.agent import Agent

PATIENCE_S = 900.0
TEXT = "ima2 was stopped while this ran. What was made is kept; retry it to make the rest."


class Recovery:
    """One interrupted item: its pictures are collected; it waits again only if nothing was ordered yet."""

    def __init__(self, agent: Agent, row: RowMapping) -> None:
        self._agent, self._row = agent, row

    async def settle(self) -> None:
        """Wait for the jobs that go on by themselves, then end the item or put it back."""
        prompts = loads(self._row["tool_plan"], dict).get("prompts")
        wanted = len(prompts) if isinstance(prompts, list) else 1
        names = [f"{self._row['request_id']}_{number}" for number in range(1, wanted + 1)]
        began = [await self._began(name) for base in names for name in (base, f"{base}_again")]
        found = [item for name in names for item in await self._made(name)]
        item_id, session_id = self._row["id"], self._row["session_id"]
        if not found and not any(began):
            await self._agent.write(lambda connection: queue.put_back(connection, item_id, queue.RUNNING), session_id)
            return
        error = None if len(found) >= wanted else ima2.Ima2Error(queue.INTERRUPTED, 500, TEXT)

        def work(connection: Any) -> None:
            ids = [sessions.add_image(connection, session_id, _values(one, self._row["prompt"])) for one in found]
            text = error.text if error else "Made what was asked; ima2 was stopped meanwhile."
            bad = "error" if error else "complete"
            sessions.add_turn(connection, session_id, "assistant", text, status=bad, images=ids)
            queue.finish(connection, item_id, queue.FAILED if error else queue.SUCCEEDED, ids, error)

        await self._agent.write(work, session_id)

    async def _began(self, job_id: str) -> bool:
        """Whether something may have been ordered by a job, once it has ended."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                record = await self._agent.ctx.studio.jobs.wait(job_id)
        except TimeoutError:
            return True
        except ima2.Ima2Error as error:
            return error.code != "JOB_NOT_FOUND"
        return record.ordered_at is not None or bool(record.files) or record.status == "unknown"

    async def _made(self, request_id: str) -> list[ima2.LibraryItem]:
        """The files of one picture, whether it came at once or when asked again."""
        found: list[ima2.LibraryItem] = []
        for name in (request_id, f"{request_id}_again"):
            page = await self._agent.ctx.library.page(ima2.LibraryQuery(limit=8, request_id=name))
            found += page.items
        return found


def _values(item: ima2.LibraryItem, prompt: str) -> dict[str, Any]:
    said = item.facts.get("prompt")
    return image_values(item.key, item.url, said if isinstance(said, str) else prompt, item.facts.get("revised_prompt"))
