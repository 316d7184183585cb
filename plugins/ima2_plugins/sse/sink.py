"""The event sink: numbers events, writes them down, keeps them for replay and tells everyone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import ima2
from ima2_plugins.sse.audience import Audience
from ima2_plugins.sse.frames import Frame, event_frame, event_name, json_pieces
from ima2_plugins.sse.journal import Journal
from ima2_plugins.sse.listener import Listener
from ima2_plugins.sse.pace import Pace
from ima2_plugins.sse.payloads import Payload, Rendering, addressed, image_size, linked, without_pictures
from ima2_plugins.sse.previews import Previews
from ima2_plugins.sse.ring import Entry, Ring

if TYPE_CHECKING:
    from ima2_plugins.sse.settings import SseSettings

WAITING = 64
"""Events that may wait to be written down; beyond, `handle` waits and the publisher drops previews."""
INLINE = 2 * 2**20
"""Bytes of pictures that are encoded on the event loop (a few milliseconds); more goes to a thread."""
TURN = 8 * 2**20
"""Bytes written to all listeners together in one turn of the event loop: some milliseconds."""
PRUNE_EVERY = 256
DRAIN = 2.0


class SseSink(ima2.EventSink):
    """Hears every event once and serves the streams of ``GET /api/events`` with it.

    An event is on disk before anyone hears of it, so that a reader's cursor stays good across a restart. When the
    disk fails, that is logged and events go on live; ends of jobs are written down as soon as that is possible.
    """

    id = "sse"

    def __init__(self, settings: SseSettings, database: ima2.Sql, log: logging.Logger) -> None:
        self.audience = Audience(settings.listeners, log)
        self.pace = Pace(TURN)
        self.previews = Previews(settings.previews, settings.preview_grace)
        self.ring = Ring(settings.ring, int(settings.keep_terminal * 1000))
        self._settings = settings
        self._journal = Journal(database)
        self._log = log
        self._next = 1
        self._since_prune = 0
        self._waiting: asyncio.Queue[ima2.Event] = asyncio.Queue(WAITING)
        self._owed: list[Entry] = []
        self._writing = asyncio.Lock()
        self._taken = self._passed = self._gaps = 0
        self._progress = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Take up where the last run ended."""
        since = self._now() - int(self._settings.keep_terminal * 1000)
        self.ring.restore(await self._journal.load(self._settings.ring, since))
        self._next = self.ring.newest + 1
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._keep_time())]

    async def close(self) -> None:
        """Hand out what waits, then end every stream at once."""
        tasks, self._tasks = self._tasks, []
        if tasks:
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN):
                    await self._waiting.join()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.audience.end()

    async def handle(self, event: ima2.Event) -> None:
        """Take one event; returns as soon as it is queued, in order."""
        if self._tasks:
            await self._waiting.put(event)
            self._taken += 1
        else:
            self._log.warning("an event %s came while the event channel was closed", event.name)

    async def flush(self) -> None:
        """Wait until the ends of jobs that were taken so far are written down. Raises ``OSError`` when one since the
        last call never will be."""
        taken = self._taken
        async with self._progress:
            await self._progress.wait_for(lambda: self._passed >= taken and not self._owed)
        gaps, self._gaps = self._gaps, 0
        if gaps:
            raise OSError("an event could not be written down")

    async def has_end(self, job_id: str, since: int) -> bool:
        """Whether the end of a job is in the journal already."""
        return await self._journal.has_end(job_id, since)

    def subscribe(self, rendering: Rendering, cursor: int | None) -> Listener | None:
        """Open a stream: what came after ``cursor`` and then everything new, nothing lost or doubled between.

        Without a cursor there is no replay. ``None`` when all places are taken.
        """
        if self.audience.full:
            return None
        listener = Listener(rendering, self._settings.backlog, self.ring.newest)
        if cursor is not None:
            listener.last_id = min(max(cursor, 0), self.ring.newest)
            listener.preload(self.ring.replay(cursor, rendering))
        self.audience.add(listener)
        return listener

    async def _run(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                await self._deliver(batch)
            except Exception:  # the channel must outlive whatever one batch does to it
                self._log.exception("%d events were not delivered", len(batch))
            for _ in batch:
                self._waiting.task_done()
            self._passed += len(batch)
            await self._tell_progress()

    async def _deliver(self, batch: Sequence[ima2.Event]) -> None:
        """Write a batch down, then tell it."""
        told = [(payload, entry) for event in batch for payload, entry in self._entered(event)]
        entries = await self._write([entry for _, entry in told])
        for (payload, _), entry in zip(told, entries, strict=True):
            await self._tell(payload, entry)

    def _entered(self, event: ima2.Event) -> list[tuple[Payload, Entry]]:
        """The event under its number; nothing when it cannot be an event of the wire (a bug of who published it)."""
        try:
            name = event_name(event.name)
            payload = addressed(event)
            data = b"".join(json_pieces(without_pictures(payload)))
        except (TypeError, ValueError):
            self._log.exception("an event of job %s cannot be sent", event.job_id)
            return []
        entry = Entry(self._next, name, event.job_id, data, event.terminal, self._now(), event.direct)
        self._next += 1
        return [(payload, entry)]

    async def _write(self, entries: Sequence[Entry] = ()) -> Sequence[Entry]:
        """Write events down, and those owed; gives the new ones back under the numbers they got."""
        async with self._writing:
            owed, self._owed = self._owed, []
            if not owed and not entries:
                return entries
            try:
                entries = await self._journal.append(entries, owed)
                if entries:
                    self._next = max(self._next, entries[-1].id + 1)
                self._since_prune += len(entries)
                if self._since_prune >= PRUNE_EVERY:
                    self._since_prune = 0
                    since = self._now() - int(self._settings.keep_terminal * 1000)
                    await self._journal.prune(self._settings.ring, since)
            except Exception as error:  # its text may hold the rows: only what the database itself said is logged
                self._owe([*owed, *entries], error, len(entries))
            return entries

    def _owe(self, entries: Sequence[Entry], error: Exception, new: int) -> None:
        """Ends of jobs are written down later, unless the database refuses them for good (their ids are taken)."""
        if isinstance(error, ima2.Ima2Error):
            self._owed = [entry for entry in entries if entry.terminal]
        else:
            self._gaps += 1
        if new:
            reason = getattr(error, "orig", None) or type(error).__name__
            self._log.warning("%d events could not be written down (%s); they are only sent live", new, reason)

    async def _tell_progress(self) -> None:
        async with self._progress:
            self._progress.notify_all()

    async def _tell(self, payload: Payload, entry: Entry) -> None:
        frames: dict[Rendering, Frame] = {}
        try:
            while missing := self._wanted(entry) - frames.keys():  # somebody may come while a thread encodes
                for rendering in missing:
                    frames[rendering] = await self._frame(payload, entry, rendering)
        except Exception:
            self._log.exception("event %d could not be encoded with its pictures", entry.id)
            frames = {rendering: entry.frame(rendering) for rendering in self._wanted(entry)}
        self.ring.append(entry, entry.created_at)
        self.audience.tell(frames)
        if entry.terminal:
            self.previews.end(entry.job_id)
        await asyncio.sleep(0)

    def _wanted(self, entry: Entry) -> set[Rendering]:
        return {rendering for rendering in self.audience.renderings if entry.is_for(rendering)}

    async def _frame(self, payload: Payload, entry: Entry, rendering: Rendering) -> Frame:
        if rendering == "url":
            payload = linked(payload, lambda picture: self.previews.keep(entry.job_id, picture))

        def encode() -> Frame:
            return event_frame(entry.id, entry.name, json_pieces(payload), passing=entry.name == "partial")

        return await asyncio.to_thread(encode) if image_size(payload) > INLINE else encode()

    async def _keep_time(self) -> None:
        """Heartbeats, stalled readers and old previews: one clock for all."""
        loop = asyncio.get_running_loop()
        beat = loop.time() + self._settings.heartbeat
        step = min(1.0, self._settings.heartbeat / 3, self._settings.stall / 3)
        while True:
            await asyncio.sleep(step)
            self.audience.check(self._settings.stall)
            self.previews.purge()
            if self._owed:
                await self._write()
                await self._tell_progress()
            if loop.time() >= beat:
                beat += self._settings.heartbeat
                self.audience.ping()

    @staticmethod
    def _now() -> int:
        return int(time.time() * 1000)
