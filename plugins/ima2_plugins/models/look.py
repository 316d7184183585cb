"""Asking services for their models: each for itself, in bounded time, free of charge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import ima2
from ima2_plugins.models.memory import Entry, Memory

DAY_MS = 24 * 3600 * 1000
_AGAIN_S = 3600.0
"""How often a running server sees whose answer is a day old."""


class Lookout:
    """Asks, remembers and tells providers what was found."""

    def __init__(self, ctx: ima2.PluginContext) -> None:
        self._ctx = ctx
        self._memory = Memory(ctx.data_dir / "models.json")
        self._entries: dict[str, Entry] = {}
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Tell what is remembered, and begin to look in the background where the settings allow it."""
        self._entries = self._memory.read()
        for provider in self._ctx.studio.providers():
            if (entry := self._entries.get(provider.id)) is not None and entry.found:
                _tell(provider, entry)
        if self._ctx.settings.look:
            self._task = asyncio.create_task(self._watch(), name="ima2-models")

    async def stop(self) -> None:
        """End looking."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self, providers: Sequence[ima2.Provider]) -> dict[str, str | None]:
        """Ask these providers' services side by side. For each either ``None``, or why nothing was found."""
        async with self._lock:
            answers = await asyncio.gather(*(self._ask(one) for one in providers))
            try:
                self._ctx.private_dir()
                await asyncio.to_thread(self._memory.write, dict(self._entries))
            except OSError as error:
                self._ctx.log.warning("what was found could not be written down: %s", type(error).__name__)
        return {one.id: answer for one, answer in zip(providers, answers, strict=True)}

    async def _watch(self) -> None:
        await asyncio.sleep(self._ctx.settings.first_look_s)
        while True:
            due = [one for one in self._ctx.studio.providers(ready=True) if self._is_due(one)]
            if due and self._ctx.settings.look:
                await self.look(due)
            await asyncio.sleep(_AGAIN_S)

    def _is_due(self, provider: ima2.Provider) -> bool:
        entry = self._entries.get(provider.id)
        lists = type(provider).models is not ima2.Provider.models
        return lists and (entry is None or not 0 <= _now() - entry.asked < DAY_MS)

    async def _ask(self, provider: ima2.Provider) -> str | None:
        """One service. What it listed before stays when it tells nothing now."""
        if type(provider).models is ima2.Provider.models:
            return "Its service lists no models."
        found: list[ima2.Model] = []
        reason: str | None = "Its service told no models."
        try:
            async with asyncio.timeout(self._ctx.settings.timeout_s):
                found = [one for one in await provider.models() if isinstance(one, ima2.Model)]
        except TimeoutError:
            reason = "Its service did not answer in time."
        except ima2.Ima2Error as error:
            reason = error.text
        except Exception as error:  # one provider's fault is no other's
            self._ctx.log.warning("provider %s could not list its models: %s", provider.id, type(error).__name__)
            reason = f"It failed ({type(error).__name__})."
        before = self._entries.get(provider.id)
        if found:
            self._entries[provider.id] = entry = Entry(_now(), _now(), tuple(found))
            _tell(provider, entry)
            return None
        self._entries[provider.id] = Entry(_now(), before.found if before else 0, before.models if before else ())
        return reason


def _tell(provider: ima2.Provider, entry: Entry) -> None:
    provider.listed = ima2.Listing(entry.models, entry.found)


def _now() -> int:
    return int(time.time() * 1000)
