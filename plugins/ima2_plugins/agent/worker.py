"""The worker of the queue: takes what waits, runs it as a job, and writes down how it ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from sqlalchemy import RowMapping

import ima2
from ima2_plugins.agent import planning, queue
from ima2_plugins.agent.recovery import Recovery
from ima2_plugins.agent.run import Run
from ima2_plugins.agent.values import loads

if TYPE_CHECKING:
    from ima2_plugins.agent.agent import Agent

KIND = "agent_queue"
PAUSE_S, STOP_S = 1.5, 10.0
STOPPED = frozenset({"GENERATION_CANCELED"})
AWAY = frozenset({"SERVER_RESTARTED", "SHUTTING_DOWN"})


class Worker:
    """Runs the queue of one folder: of several processes only the one that holds the lock."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._wake = asyncio.Event()
        self._running: dict[str, tuple[RowMapping, asyncio.Task[None]]] = {}
        self._lock: FileLock | None = None
        self._closing = False

    def wake(self) -> None:
        """Look at once whether something can begin."""
        self._wake.set()

    async def work(self) -> None:
        """Look at the queue whenever something changed, and every now and then."""
        while True:
            try:
                if await self._holds():
                    await self._begin()
            except Exception as error:
                self._agent.ctx.log.warning("the agent's queue could not be read: %s", type(error).__name__)
            try:
                async with asyncio.timeout(PAUSE_S):
                    await self._wake.wait()
            except TimeoutError:
                continue
            finally:
                self._wake.clear()

    async def stop(self) -> None:
        """Let go of what runs: the next start takes it up."""
        self._closing = True
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._lock is not None:
            self._lock.release()

    async def cancel(self, item_id: str) -> bool:
        """Stop an item at work and wait for its end; whether it ran here."""
        found = self._running.get(item_id)
        if found is None:
            return False
        row, task = found
        await self._agent.ctx.studio.jobs.cancel(row["request_id"])
        await asyncio.wait({task}, timeout=STOP_S)
        return True

    async def cancel_session(self, session_id: str) -> None:
        """Stop whatever a session does."""
        for row, _ in list(self._running.values()):
            if row["session_id"] == session_id:
                await self.cancel(row["id"])

    async def _holds(self) -> bool:
        """Whether this process runs the queue. The first time it does, it looks after what a dead one left."""
        if self._lock is not None:
            return True
        lock = FileLock(self._agent.ctx.private_dir() / "queue.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        self._lock = lock
        for row in await self._agent.read(queue.running):
            self._start(row, Recovery(self._agent, row).settle())
        return True

    async def _begin(self) -> None:
        while len(self._running) < self._agent.settings.running:
            row = await self._agent.claim()
            if row is None:
                return
            self._start(row, self._run(row))

    def _start(self, row: RowMapping, work: Any) -> None:
        self._agent.busy.add(row["session_id"])
        task = asyncio.create_task(self._watched(row, work), name=f"agent queue {row['id']}")
        self._running[row["id"]] = row, task

    async def _watched(self, row: RowMapping, work: Any) -> None:
        try:
            await work
        except Exception as error:
            self._agent.ctx.log.warning("queue item %s: %s", row["id"], type(error).__name__)
            await self._give_up(row)
        finally:
            self._running.pop(row["id"], None)
            await self._agent.release(row["session_id"])

    async def _run(self, row: RowMapping) -> None:
        """Run one item as a job of its own, to be listed and cancelled like any other."""
        agent, plan = self._agent, plan_of(row, self._agent)
        run = Run(agent, row["session_id"], row["request_id"], plan, agent.with_defaults(loads(row["options"], dict)))
        error: ima2.Ima2Error | None = None
        try:
            handle = await agent.ctx.studio.run(_label(row, plan), lambda scope: run.make(scope.submit))
            await handle.result()
        except ima2.Ima2Error as failure:
            error = failure
        if error is not None and error.code == "TOO_MANY_JOBS" and not run.images:
            await agent.write(lambda connection: queue.put_back(connection, row["id"], queue.RUNNING))
            await asyncio.sleep(PAUSE_S)
            return
        if error is not None and (self._closing or error.code in AWAY):
            return  # it stays marked as running, which the next start looks after
        await self._end(row, run, error)

    async def _give_up(self, row: RowMapping) -> None:
        """End an item that could not be carried out for a reason nobody foresaw: it must not run for ever."""
        error = ima2.Ima2Error("AGENT_ERROR", 500, "The work failed unexpectedly; the log says where.")
        try:
            await self._agent.write(
                lambda connection: queue.finish(connection, row["id"], queue.FAILED, (), error), row["session_id"]
            )
        except Exception as failure:
            self._agent.ctx.log.warning("queue item %s stays open: %s", row["id"], type(failure).__name__)

    async def _end(self, row: RowMapping, run: Run, error: ima2.Ima2Error | None) -> None:
        stopped = error is not None and error.code in STOPPED
        status = queue.CANCELED if stopped else queue.SUCCEEDED if run.images else queue.FAILED
        told = error or (run.failures[0] if run.failures else None)
        await run.tell(error)
        work = run.images, told
        await self._agent.write(
            lambda connection: queue.finish(connection, row["id"], status, *work), row["session_id"]
        )


def plan_of(row: RowMapping, agent: Agent) -> dict[str, Any]:
    """The plan of an item; made anew for one that an older version stored without."""
    stored: dict[str, Any] = loads(row["tool_plan"], dict)
    known = {"mode", "prompts", "plannedVariants", "plannedParallelism", "requestedVariants"}
    if known <= stored.keys() and stored["prompts"]:
        return stored
    return planning.plan(row["prompt"], agent.with_defaults(loads(row["options"], dict))).wire()


def _label(row: RowMapping, plan: dict[str, Any]) -> ima2.Label:
    meta = {
        "queue_item_id": row["id"],
        "variants": plan["plannedVariants"],
        "parallelism": plan["plannedParallelism"],
        "requested_variants": plan["requestedVariants"],
    }
    return ima2.Label(row["request_id"], KIND, row["session_id"], facts={"prompt": row["prompt"]}, meta=meta)
