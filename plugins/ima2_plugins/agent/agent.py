"""Agent mode as a whole: its sessions, its queue and the worker of that queue."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping

import ima2
from ima2_plugins.agent import queue, sessions
from ima2_plugins.agent.ids import new_id
from ima2_plugins.agent.run import KIND, AgentView, Run
from ima2_plugins.agent.settings import AgentSettings
from ima2_plugins.agent.values import shown
from ima2_plugins.agent.worker import Worker
from ima2_plugins.agent.workspace import View, settings_of, workspace

T = TypeVar("T")
TOOLS = ("ima2.get_image_context", "ima2.web_search", "ima2.generate_image", "ima2.generate_video")


class Agent:
    """What routes and the worker share. ``revision`` changes with everything that is written."""

    def __init__(self, ctx: ima2.PluginContext) -> None:
        self.ctx = ctx
        self.revision = 0
        self.boot = secrets.token_hex(4)
        self.busy: set[str] = set()
        self.waiting: Counter[str] = Counter()
        self._free = asyncio.Condition()
        self.worker = Worker(self)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def settings(self) -> AgentSettings:
        """The plugin's settings in force."""
        settings: AgentSettings = self.ctx.settings
        return settings

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Hold the worker of the queue at work."""
        self.ctx.studio.views[KIND] = AgentView
        task = asyncio.create_task(self.worker.work())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.worker.stop()

    # -- the database ----------------------------------------------------------------------------

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Read from the database."""
        return await self.ctx.database.read(work)

    async def write(self, work: Callable[[Connection], T], session_id: str = "") -> T:
        """Change the database in one transaction, and hint that a session has changed."""
        try:
            return await self.ctx.database.write(work)
        finally:
            self.revision += 1
            self.ctx.emit("changed", {"sessionId": session_id, "revision": self.revision})

    # -- what clients see ------------------------------------------------------------------------

    def default(self) -> ima2.Provider | None:
        """The provider of a session that chose none."""
        try:
            return self.ctx.studio.provider()
        except ima2.Ima2Error:
            return next(iter(self.ctx.studio.providers("image")), None)

    def makers(self) -> Sequence[ima2.Provider]:
        """Whoever can draw or film."""
        return [one for one in self.ctx.studio.providers() if one.capabilities.media]

    def offered(self) -> dict[str, ima2.Tool]:
        """The tools of plugins that the agent may call."""
        spend = self.settings.tools_may_spend
        return {name: tool for name, tool in self.ctx.tools().items() if spend or not tool.spends}

    def tools(self) -> list[str]:
        """All tools: the agent's own, then those of plugins."""
        return [*TOOLS, *sorted(set(self.offered()) - set(TOOLS))]

    async def workspace(self, view: View) -> dict[str, Any]:
        """What a client sees. The revision is from before it was read, so that none is missed."""
        revision, tools, provider = self.revision, self.tools(), self.default()
        found = await self.read(lambda connection: workspace(connection, view, tools, provider))
        return {**found, "revision": revision}

    async def settings_of(self, session_id: str) -> dict[str, Any]:
        """The settings of a session. 404."""
        row = await self.read(lambda connection: sessions.find(connection, session_id))
        return settings_of(row, self.default())

    def with_defaults(self, explicit: dict[str, Any]) -> dict[str, Any]:
        """Settings as clients read them, what nobody chose filled in."""
        return shown(explicit, self.default())

    # -- one at a time for a session ---------------------------------------------------------------

    @asynccontextmanager
    async def turn_of(self, session_id: str) -> AsyncIterator[None]:
        """Wait until a session does nothing else, and hold it."""
        self.waiting[session_id] += 1
        try:
            async with self._free:
                await self._free.wait_for(lambda: session_id not in self.busy)
                self.busy.add(session_id)
        finally:
            self.waiting[session_id] -= 1
        try:
            yield
        finally:
            await self.release(session_id)

    async def release(self, session_id: str) -> None:
        """A session has ended what it did."""
        self.busy.discard(session_id)
        async with self._free:
            self._free.notify_all()
        self.worker.wake()

    def occupied(self) -> set[str]:
        """Sessions that do something, or whose next turn is somebody's who waits."""
        return self.busy | {name for name, count in self.waiting.items() if count > 0}

    async def draw(self, session_id: str, plan: dict[str, Any], settings: dict[str, Any], request_id: str) -> None:
        """Make a picture now, for a caller who waits; it goes on when he leaves. Raises what failed."""
        task = asyncio.create_task(self._draw(session_id, plan, settings, request_id or new_id("agent")))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _draw(self, session_id: str, plan: dict[str, Any], settings: dict[str, Any], request_id: str) -> None:
        async with self.turn_of(session_id):
            prompt = plan["prompts"][0]

            def begin(connection: Connection) -> None:
                sessions.add_turn(connection, session_id, "user", prompt)

            await self.write(begin, session_id)
            run = Run(self, session_id, request_id, {**plan, "numbered": False}, settings)
            try:
                await run.make(self.ctx.studio.submit)
            except ima2.Ima2Error as error:
                await run.tell(error)
                raise
            await run.tell(None)

    # -- the queue -------------------------------------------------------------------------------

    async def claim(self) -> RowMapping | None:
        """Take what is to run next, if anything may."""
        occupied = self.occupied()
        if not await self.read(lambda connection: queue.next_item(connection, occupied)):
            return None
        return await self.write(lambda connection: queue.claim(connection, occupied))

    async def cancel(self, item_id: str) -> str:
        """Take an item out of the line, or stop it at work; its session. 404; 409 ``AGENT_QUEUE_CANCEL_FAILED``."""
        row = await self.read(lambda connection: queue.find(connection, item_id))
        session_id = str(row["session_id"])
        waited = await self.write(lambda connection: queue.cancel_waiting(connection, item_id), session_id)
        if not waited and not await self.worker.cancel(item_id):
            text = "Only queued and running Agent work can be canceled."
            raise ima2.Ima2Error("AGENT_QUEUE_CANCEL_FAILED", 409, text)
        return session_id

    async def remove(self, session_id: str) -> None:
        """Delete a session; what it does is stopped first. 404."""
        await self.read(lambda connection: sessions.find(connection, session_id))
        await self.worker.cancel_session(session_id)
        await self.write(lambda connection: sessions.remove(connection, session_id), session_id)


def agent_of(ctx: ima2.PluginContext) -> Agent:
    """The one agent of this process."""
    if not hasattr(ctx.state, "agent"):
        ctx.state.agent = Agent(ctx)
    agent: Agent = ctx.state.agent
    return agent
