"""Opening parts in order and closing them in reverse, each within its time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from ima2.contracts import Part
from ima2.kernel.boot import Booted, fail
from ima2.kernel.discovery import explain

log = logging.getLogger("ima2.plugins")

WAVES = (("storages",), ("thumbnailers", "event_sinks"), ("providers",))
"""Kinds in the order of opening; within a wave parts open, and later close, side by side."""
_SLOTS = {"storages": "storage", "thumbnailers": "thumbnailer", "event_sinks": "event_sink", "providers": "provider"}


@asynccontextmanager
async def opened(booted: Booted, timeout: float = 5.0) -> AsyncIterator[None]:
    """Hold every part open, and every plugin's lifespan entered.

    A part or lifespan that fails, or takes longer than ``timeout`` seconds, fails its plugin: what that plugin had open
    is closed and its parts leave the registry. Closing never raises; what goes wrong there is logged.
    """
    runtime = _OpenParts(booted, timeout)
    try:
        for wave in range(len(WAVES)):
            await runtime.open_parts(wave)
        await runtime.enter_lifespans()
        yield
    finally:
        await runtime.close()


@dataclass(slots=True)
class _OpenParts:
    booted: Booted
    timeout: float
    waves: list[list[tuple[str, Part]]] = field(default_factory=lambda: [[] for _ in WAVES])
    lifespans: list[_Lifespan] = field(default_factory=list)

    async def open_parts(self, wave: int) -> None:
        owners = self.booted.registry.owners
        for kind in WAVES[wave]:
            for part_id, part in getattr(self.booted.registry, kind).items():
                self.waves[wave].append((owners[_SLOTS[kind], part_id], part))
        attempts = [self._attempt(part.open) for _, part in self.waves[wave]]
        errors = await asyncio.gather(*attempts)
        failed = {
            plugin: (f"open {part.id}", error)
            for (plugin, part), error in zip(self.waves[wave], errors, strict=True)
            if error is not None
        }
        for plugin, (stage, error) in failed.items():
            await self._put_out(plugin, stage, error)

    async def enter_lifespans(self) -> None:
        for record in self.booted.ready():
            if "ima2_lifespan" not in record.hooks:
                continue
            try:
                lifespan = self._lifespan(record.name)
            except (Exception, SystemExit) as error:
                await self._put_out(record.name, "ima2_lifespan", error)
                continue
            if lifespan is None:
                continue
            self.lifespans.append(lifespan)
            failure = await self._attempt(lifespan.enter)
            if failure is not None:
                await self._put_out(record.name, "ima2_lifespan", failure)

    def _lifespan(self, plugin: str) -> _Lifespan | None:
        answer = self.booted.hooks.call(plugin, "ima2_lifespan", ctx=self.booted.contexts[plugin])
        if answer is None:
            return None
        if not isinstance(answer, AbstractAsyncContextManager):
            raise TypeError(f"ima2_lifespan gave a {type(answer).__name__}, wanted an async context manager")
        return _Lifespan(plugin, answer)

    async def close(self) -> None:
        for lifespan in reversed(self.lifespans):
            await self._closed(lifespan.plugin, "lifespan", lifespan.leave)
        for wave in reversed(self.waves):
            await asyncio.gather(*(self._closed(plugin, part.id, part.close) for plugin, part in wave))

    async def _put_out(self, plugin: str, stage: str, error: BaseException) -> None:
        """Close everything of one plugin, take it out of use, and raise if a person had named it."""
        for lifespan in [one for one in self.lifespans if one.plugin == plugin]:
            self.lifespans.remove(lifespan)
            await self._closed(plugin, "lifespan", lifespan.leave)
        for wave in reversed(self.waves):
            own = [part for owner, part in wave if owner == plugin]
            wave[:] = [(owner, part) for owner, part in wave if owner != plugin]
            await asyncio.gather(*(self._closed(plugin, part.id, part.close) for part in own))
        fail(self.booted, plugin, stage, error)
        self.booted.insist(self.booted.record(plugin))

    async def _attempt(self, work: Callable[[], Awaitable[None]]) -> BaseException | None:
        """Run in a task of its own, so that work which ignores cancellation cannot hold up the others."""
        task = asyncio.ensure_future(_run(work))
        try:
            await asyncio.wait({task}, timeout=self.timeout)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done():
            return RuntimeError("it cancelled itself") if task.cancelled() else task.result()
        task.cancel()
        await asyncio.wait({task}, timeout=min(1.0, self.timeout))
        return TimeoutError(f"not done after {self.timeout:g} s")

    async def _closed(self, plugin: str, what: str, work: Callable[[], Awaitable[None]]) -> None:
        error = await self._attempt(work)
        if error is not None:
            log.warning("plugin %s: closing %s: %s", plugin, what, explain(error))
            log.debug("plugin %s: closing %s", plugin, what, exc_info=error)


async def _run(work: Callable[[], Awaitable[None]]) -> BaseException | None:
    try:
        await work()
    except (Exception, SystemExit) as error:
        return error
    return None


class _Lifespan:
    """One plugin's context manager, entered and left in one and the same task, as task groups demand."""

    def __init__(self, plugin: str, manager: AbstractAsyncContextManager[None]) -> None:
        self.plugin = plugin
        self._manager = manager
        self._inside, self._leaving = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[BaseException | None] | None = None

    async def enter(self) -> None:
        """Enter; raises what entering raises."""
        self._task = asyncio.ensure_future(_run(self._live))
        inside = asyncio.ensure_future(self._inside.wait())
        try:
            await asyncio.wait({self._task, inside}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        finally:
            inside.cancel()
        if not self._inside.is_set():
            error = None if self._task.cancelled() else self._task.result()
            raise error if error is not None else RuntimeError("it ended while being entered")

    async def leave(self) -> None:
        """Leave; raises what leaving raises. Harmless when never entered."""
        self._leaving.set()
        if self._task is None or self._task.cancelled():
            return
        try:
            await asyncio.wait({self._task})
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        if not self._task.cancelled() and (error := self._task.result()) is not None and self._inside.is_set():
            raise error

    async def _live(self) -> None:
        async with self._manager:
            self._inside.set()
            await self._leaving.wait()
