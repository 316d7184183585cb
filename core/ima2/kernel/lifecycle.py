"""Opening parts in order and closing them in reverse, each within its time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from ima2.contracts import Part
from ima2.kernel import guard
from ima2.kernel.boot import SLOTS, Booted, disable
from ima2.kernel.discovery import explain

log = logging.getLogger("ima2.plugins")

WAVES = (("storages",), ("thumbnailers", "event_sinks", "policies"), ("providers",))
"""Kinds in the order of opening; within a wave parts open, and later close, side by side."""
_SLOTS = {slot.field: slot.kind for slot in SLOTS.values()}


@asynccontextmanager
async def open_parts(booted: Booted, timeout: float = 5.0) -> AsyncIterator[OpenParts]:
    """Hold every part open; `OpenParts.lifespans` holds every plugin's lifespan entered meanwhile.

    A part or lifespan that fails, or takes longer than ``timeout`` seconds, fails its plugin: what that plugin had open
    is closed and its parts leave the registry. Closing all takes no longer than that and never raises; what goes wrong
    there is logged.
    """
    parts = OpenParts(booted, timeout)
    try:
        for wave in range(len(WAVES)):
            await parts.open_wave(wave)
        yield parts
    finally:
        await parts.close()


@dataclass(slots=True)
class OpenParts:
    """The parts that are open, and the lifespans that are entered."""

    booted: Booted
    timeout: float
    waves: list[list[tuple[str, Part]]] = field(default_factory=lambda: [[] for _ in WAVES])
    entered: list[_Lifespan] = field(default_factory=list)

    async def open_wave(self, wave: int) -> None:
        """Open the parts of one wave side by side."""
        owners = self.booted.registry.owners
        for kind in WAVES[wave]:
            for part_id, part in getattr(self.booted.registry, kind).items():
                self.waves[wave].append((owners[_SLOTS[kind], part_id], part))
        attempts = [guard.attempt(f"plugin {name}", part.open, self.timeout) for name, part in self.waves[wave]]
        errors = await asyncio.gather(*attempts)
        failed = {
            plugin: (f"open {part.id}", error)
            for (plugin, part), error in zip(self.waves[wave], errors, strict=True)
            if error is not None
        }
        for plugin, (stage, error) in failed.items():
            await self._disable(plugin, stage, error)

    @asynccontextmanager
    async def lifespans(self) -> AsyncIterator[None]:
        """Hold every plugin's lifespan entered, from the moment when the studio works."""
        try:
            await self.enter_lifespans()
            yield
        finally:
            await self.leave_lifespans()

    async def enter_lifespans(self) -> None:
        """Enter one after the other."""
        for record in self.booted.ready():
            if "ima2_lifespan" not in record.hooks:
                continue
            try:
                lifespan = self._lifespan(record.name)
            except (Exception, SystemExit) as error:
                await self._disable(record.name, "ima2_lifespan", error)
                continue
            if lifespan is None:
                continue
            self.entered.append(lifespan)
            failure = await guard.attempt(f"plugin {record.name}", lifespan.enter, self.timeout)
            if failure is not None:
                await self._disable(record.name, "ima2_lifespan", failure)

    def _lifespan(self, plugin: str) -> _Lifespan | None:
        answer = self.booted.hooks.call(plugin, "ima2_lifespan", ctx=self.booted.contexts[plugin])
        if answer is None:
            return None
        if not isinstance(answer, AbstractAsyncContextManager):
            raise TypeError(f"ima2_lifespan gave a {type(answer).__name__}, wanted an async context manager")
        return _Lifespan(plugin, answer)

    async def leave_lifespans(self) -> None:
        """Side by side and in half of the time there is; the parts have the other half."""
        leaving, self.entered = self.entered, []
        await self._close([(one.plugin, "lifespan", one.leave) for one in leaving], self.timeout / 2)

    async def close(self) -> None:
        """Close everything, in reverse."""
        await self.leave_lifespans()
        left = self.timeout / 2
        for wave in reversed(self.waves):
            began = time.monotonic()
            await self._close([(plugin, part.id, part.close) for plugin, part in wave], left / 2)
            left = max(0.2, left - (time.monotonic() - began))

    async def _disable(self, plugin: str, stage: str, error: BaseException) -> None:
        """Close everything of one plugin, take it out of use, and raise if a person had named it."""
        for lifespan in [one for one in self.entered if one.plugin == plugin]:
            self.entered.remove(lifespan)
            await self._close([(plugin, "lifespan", lifespan.leave)], self.timeout)
        for wave in reversed(self.waves):
            own = [(plugin, part.id, part.close) for owner, part in wave if owner == plugin]
            wave[:] = [(owner, part) for owner, part in wave if owner != plugin]
            await self._close(own, self.timeout)
        disable(self.booted, plugin, stage, error)
        self.booted.raise_if_named(self.booted.record(plugin))

    async def _close(self, what: Sequence[tuple[str, str, Callable[[], Awaitable[None]]]], seconds: float) -> None:
        """Close side by side; what does not close in time is left behind."""
        names = [f"plugin {plugin}" for plugin, _, _ in what]
        errors = await asyncio.gather(
            *(guard.attempt(name, work, seconds) for name, (_, _, work) in zip(names, what, strict=True))
        )
        for name, (_, part, _), error in zip(names, what, errors, strict=True):
            if error is not None:
                log.warning("%s: closing %s: %s", name, part, explain(error))


class _Lifespan:
    """One plugin's context manager, entered and left in one and the same task, as task groups demand."""

    def __init__(self, plugin: str, manager: AbstractAsyncContextManager[None]) -> None:
        self.plugin = plugin
        self._manager = manager
        self._inside, self._leaving = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[BaseException | None] | None = None

    async def enter(self) -> None:
        """Enter; raises what entering raises."""
        self._task = asyncio.ensure_future(guard.outcome(self._live))
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
